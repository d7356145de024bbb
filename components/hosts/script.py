"""The one way to run a script on a host: a `.sh` file on the standard input of `sh -s`.

One script text serves create, update and delete; its first argument says which. Its text and
arguments are inputs, so a change of either runs it again in place, and every script must be
idempotent. There are no `triggers`: they would replace the resource, which runs the old delete
after the new create (pulumi-command 1.2.1, provider/pkg/provider/remote).
"""

import json
import shlex
from collections.abc import Sequence
from typing import Any, cast

import pulumi
from pulumi_command import remote

from components.common.script_text import script_text
from components.hosts.host import RemoteHost

_ENSURE = "ensure"
_TIMEOUT = "60m"
_EVERY_INPUT = ["connection", "create", "update", "delete", "stdin"]
# A user whose sudo asks for a password sends it as the first line. It reaches sudo only if sudo
# would ask: otherwise the shell would take it for the first line of the script.
_ASKING_SUDO = (
    "IFS= read -r password; "
    "if sudo -n true 2>/dev/null; then exec sudo -n {shell}; fi; "
    "{{ printf '%s\\n' \"$password\"; cat; }} | sudo -S -p '' {shell}"
)
# Whoever logs in, and whether sudo asks or not: the first line on standard input is the password,
# or empty. A stale one of these still fits after ssh.user or the password has changed.
_BY_ANYBODY = (
    "IFS= read -r password; "
    'if [ "$(id -u)" = 0 ]; then exec {shell}; fi; '
    'if [ -z "$password" ] || sudo -n true 2>/dev/null; then exec sudo -n {shell}; fi; '
    "{{ printf '%s\\n' \"$password\"; cat; }} | sudo -S -p '' {shell}"
)


def command_line(host: RemoteHost, action: str) -> str:
    """What the host's login shell runs. Holds no secret.

    Args:
        host: Who logs in decides about sudo.
        action: First argument of the script.
    """
    shell = shlex.join(["sh", "-s", "--", action])
    return as_root(shell, host.user, asks_password=host.sudo_password is not None)


def update_line(found: str | None) -> str:
    """What the host's login shell runs for an update, whoever logs in.

    It stands in the state until something else is found, so it may depend on nothing but that.

    Args:
        found: What was found wrong on the host; only to be read by people, in the diff.
    """
    told = "" if found is None else f": {shlex.quote(f'found: {found}')}; "
    return told + _BY_ANYBODY.format(shell=shlex.join(["sh", "-s", "--", _ENSURE]))


def as_root(shell: str, user: str, *, asks_password: bool) -> str:
    """The quoted command line, run as root by this user.

    With asks_password the first line on standard input is the password for sudo.
    """
    if user == "root":
        return shell
    return _ASKING_SUDO.format(shell=shell) if asks_password else f"sudo -n {shell}"


def script_input(text: str, arguments: Sequence[str]) -> str:
    """The script with its arguments, each quoted once, here.

    They stand on the standard input and not in the command line, so that create, update and
    delete can never disagree about them; of the command line only the action counts.
    """
    return f'set -- "$1" {shlex.join(arguments)}\n{text}'


def remote_script(
    name: str,
    host: RemoteHost,
    script: str,
    arguments: Sequence[str] = (),
    *,
    found: str | None = None,
    delete_action: str | None = "remove",
    opts: pulumi.ResourceOptions,
) -> remote.Command:
    """Declare that this script has run on this host, with the action `ensure`.

    Args:
        name: Name of the resource.
        host: Where it runs, as root.
        script: The script's file, below components/.
        arguments: What follows the action word; plain values, never secrets.
        found: What is not as the script leaves it; makes the engine run it again.
        delete_action: Action word for delete; None leaves the host alone.
        opts: At least the parent.
    """
    text = script_input(script_text(script), arguments)
    # An empty line where there is no password: a shell that reads it as script passes over it.
    stdin: pulumi.Input[str] = f"\n{text}"
    if host.user != "root" and host.sudo_password is not None:
        stdin = pulumi.Output.secret(host.sudo_password).apply(lambda p: f"{p}\n{text}")
    return remote.Command(
        name,
        connection=host.connection,
        create=command_line(host, _ENSURE),
        update=update_line(found),
        delete=None if delete_action is None else command_line(host, delete_action),
        stdin=stdin,
        add_previous_output_in_env=False,
        logging=remote.Logging.STDERR,
        opts=pulumi.ResourceOptions.merge(
            pulumi.ResourceOptions(
                ignore_changes=_ignored(host, found),
                # The engine forgets what ran on a lost host; nothing can be undone there.
                retain_on_delete=host.lost or None,
                custom_timeouts=pulumi.CustomTimeouts(
                    create=_TIMEOUT, update=_TIMEOUT, delete=_TIMEOUT
                ),
            ),
            opts,
        ),
    )


def _ignored(host: RemoteHost, found: str | None) -> list[str]:
    """The inputs whose change runs nothing."""
    if host.lost:
        return _EVERY_INPUT
    # A repair leaves its reason in the state. Without this, the next preview, which finds nothing
    # wrong, would show the reason's removal as a change.
    return [] if found else ["update"]


def result_of(command: remote.Command) -> pulumi.Output[dict[str, Any]]:
    """The one line of JSON that the script printed."""
    return command.stdout.apply(lambda text: cast(dict[str, Any], json.loads(text)))
