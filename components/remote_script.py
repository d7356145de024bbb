"""The one way to run a script on a host: a `.sh` file on the standard input of `sh -s`.

One script text serves create, update and delete; its first argument says which. Its text and
arguments are inputs, so a change of either runs it again in place, and every script must be
idempotent. There are no `triggers`: they would replace the resource, which runs the old delete
after the new create (pulumi-command 1.2.1, provider/pkg/provider/remote).
"""

import json
import shlex
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, cast

import pulumi
from pulumi_command import remote

from components.remote_host import RemoteHost

_SCRIPTS = Path(__file__).parent / "scripts"
_TIMEOUT = "60m"
# A user whose sudo asks for a password sends it as the first line. It reaches sudo only if sudo
# would ask: otherwise the shell would take it for the first line of the script.
_ASKING_SUDO = (
    "IFS= read -r password; "
    "if sudo -n true 2>/dev/null; then exec sudo -n {shell}; fi; "
    "{{ printf '%s\\n' \"$password\"; cat; }} | sudo -S -p '' {shell}"
)


@cache
def script_text(name: str) -> str:
    """The text of a script in components/scripts. Raises FileNotFoundError."""
    return (_SCRIPTS / name).read_text()


def command_line(host: RemoteHost, action: str, arguments: Sequence[str]) -> str:
    """What the host's login shell runs; every argument quoted once, here. Holds no secret."""
    shell = shlex.join(["sh", "-s", "--", action, *arguments])
    if host.user == "root":
        return shell
    if host.sudo_password is None:
        return f"sudo -n {shell}"
    return _ASKING_SUDO.format(shell=shell)


def remote_script(
    name: str,
    host: RemoteHost,
    script: str,
    arguments: Sequence[str] = (),
    *,
    create_action: str = "ensure",
    delete_action: str | None = "remove",
    opts: pulumi.ResourceOptions,
) -> remote.Command:
    """Declare that this script has run on this host.

    Args:
        name: Name of the resource.
        host: Where it runs, as root.
        script: File in components/scripts.
        arguments: What follows the action word; plain values, never secrets.
        create_action: Action word for create and update.
        delete_action: Action word for delete; None leaves the host alone.
        opts: At least the parent.
    """
    text = script_text(script)
    stdin: pulumi.Input[str] = text
    if host.user != "root" and host.sudo_password is not None:
        stdin = pulumi.Output.secret(host.sudo_password).apply(lambda p: f"{p}\n{text}")
    return remote.Command(
        name,
        connection=host.connection,
        create=command_line(host, create_action, arguments),
        delete=None if delete_action is None else command_line(host, delete_action, arguments),
        stdin=stdin,
        add_previous_output_in_env=False,
        logging=remote.Logging.STDERR,
        opts=pulumi.ResourceOptions.merge(
            pulumi.ResourceOptions(
                custom_timeouts=pulumi.CustomTimeouts(
                    create=_TIMEOUT, update=_TIMEOUT, delete=_TIMEOUT
                )
            ),
            opts,
        ),
    )


def result_of(command: remote.Command) -> pulumi.Output[dict[str, Any]]:
    """The one line of JSON that the script printed."""
    return command.stdout.apply(lambda text: cast(dict[str, Any], json.loads(text)))
