"""The one way to run a script on a host: by its name and digest, with its arguments.

One script serves create, update and delete; its first argument says which. Its digest and its
arguments are inputs, so a change of either runs it again in place, and every script must be
idempotent. There are no `triggers`: they would replace the resource, which runs the old delete
after the new create (pulumi-command 1.2.1, provider/pkg/provider/remote).
"""

import re
import shlex
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import pulumi
from pulumi_command import remote

from components.common.answers import last_object
from components.hosts.host import RemoteHost
from components.hosts.host_script import HostScript, checked_command, run_path

_Told = TypeVar("_Told")

_ENSURE = "ensure"
_TIMEOUT = "60m"
_EVERY_INPUT = ["connection", "create", "update", "delete", "stdin"]
# For whoever logs in, and whether sudo asks or not: the first line on standard input is the
# password, or empty. It reaches sudo only if sudo would ask; otherwise the shell would take it for
# the first line of the script. At first it comes alone: sudo takes each line for another try, and
# three wrong ones lock the account on many hosts (pam_faillock). Without a terminal it remembers by
# the process that started it whom it has asked, so nothing is put in this shell's place then. What
# stands in the state still fits after ssh.user has changed.
_AS_ROOT = (
    "LC_ALL=C; export LC_ALL; IFS= read -r password; "
    'if [ "$(id -u)" = 0 ]; then exec {script}; fi; '
    'if [ -z "$password" ] || sudo -n true 2>/dev/null; then exec sudo -n {script}; fi; '
    '{{ printf %s "$password"; echo; }} | sudo -S -p "" sh -c : || exit; '
    "if sudo -n sh -c : 2>/dev/null; then sudo -n {script}; exit; fi; "
    '{{ printf %s "$password"; echo; cat; }} | sudo -S -p "" {script}'
)
_PLAIN = re.compile(r"[A-Za-z0-9_./-]+")
_UNSAFE = str.maketrans(dict.fromkeys("'\\!", "?"))
_SHOWN_CHARACTERS = 300


class ResultError(ValueError):
    """What a script printed is not its result; the message names the host and what was printed."""


def command_line(action: str) -> str:
    """What the host's login shell runs where no script lies yet. Holds no secret.

    The login shell may be any: words in single quotes, without quotes, backslashes, exclamation
    marks and line ends in them, are the same to sh, fish, csh and restricted shells.

    Args:
        action: First argument of the script on standard input.
    """
    return f"sh -c {_word(_AS_ROOT.format(script=f'sh -s -- {action}'))}"


def script_line(
    folder: str, name: str, action: str, words: Sequence[str] = (), found: str | None = None
) -> str:
    """What the host's login shell runs, in words that a person can read in a diff.

    Args:
        folder: Where the stack's scripts lie on the host.
        name: The script's name.
        action: Its first argument; all others come on standard input.
        words: What it is about.
        found: What was found wrong on the host.
    """
    told = words if found is None else [*words, f"found: {found}"]
    return " ".join(["sh", *map(_word, (run_path(folder), name, action, *told))])


def _word(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    plain = "".join(c if " " <= c <= "~" else "?" for c in text.translate(_UNSAFE))
    return f"'{plain}'"


def script_input(text: str, arguments: Sequence[str], password: str | None = None) -> str:
    """Standard input of a script: the password for sudo, its arguments, its text.

    The arguments stand here and not in the command line, each quoted once, so that create, update
    and delete can never disagree about them; of the command line only the action counts.
    """
    return f'{password or ""}\nset -- "$1" {shlex.join(arguments)}\n{text}'


def remote_script(
    name: str,
    host: RemoteHost,
    script: HostScript,
    arguments: Sequence[str] = (),
    *,
    words: Sequence[str] = (),
    found: str | None = None,
    action: str = _ENSURE,
    create_action: str | None = None,
    delete_action: str | None = "remove",
    opts: pulumi.ResourceOptions,
) -> remote.Command:
    """Declare that this script has run on this host.

    Args:
        name: Name of the resource.
        host: Where it runs, as root.
        script: Which one; it lies there already.
        arguments: What follows the action word; plain values, never secrets.
        words: What of them a person reads in the command lines.
        found: What is not as the script leaves it; makes Pulumi run it again.
        action: Action word for this run.
        create_action: Action word of the very first run, where it is another one.
        delete_action: Action word for delete; None leaves the host alone.
        opts: At least the parent.
    """
    text, folder = checked_command(host.folder, script), host.folder
    stdin: pulumi.Input[str] = script_input(text, arguments)
    if host.user != "root" and host.sudo_password is not None:
        stdin = pulumi.Output.secret(host.sudo_password).apply(
            lambda password: script_input(text, arguments, password)
        )
    return remote.Command(
        name,
        connection=host.connection,
        create=script_line(folder, script.name, create_action or action, words),
        # Without a finding an update runs the create line: one line less in the state.
        update=script_line(folder, script.name, action, words, found)
        if found or create_action
        else None,
        delete=delete_action and script_line(folder, script.name, delete_action, words),
        stdin=stdin,
        add_previous_output_in_env=False,
        logging=remote.Logging.STDERR,
        opts=pulumi.ResourceOptions.merge(
            pulumi.ResourceOptions(
                depends_on=host.scripts,
                ignore_changes=_ignored(host, found),
                # The delete of a replaced resource must not take away what its successor made.
                delete_before_replace=True,
                # Pulumi forgets what ran on a lost host; nothing can be undone there.
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


def result_of(
    command: remote.Command, host: RemoteHost, told: Callable[[dict[str, Any]], _Told]
) -> pulumi.Output[_Told]:
    """What the one line of JSON that the script printed tells. Fails the run with a ResultError."""
    return command.stdout.apply(lambda text: told(parse_result(text, host.name, host.user)))


def parse_result(printed: str, host: str, user: str) -> dict[str, Any]:
    """The last line that is a JSON object; a login and a logout may print around it. Pure.

    Args:
        host: What the host is called.
        user: Who logged in there.

    Raises ResultError.
    """
    lines = [line for line in printed.splitlines() if line.strip()]
    if not lines:
        raise ResultError(
            f"node {host}: the script printed nothing, so it did not run. Give {user} a login "
            f"shell there that runs commands (chsh -s /bin/sh {user}), and let the next run do it "
            "again: pulumi up --replace with the URN of this command"
        )
    result = last_object(printed)
    if result is not None:
        return result
    shown = "".join(c if c.isprintable() else "?" for c in lines[-1])[:_SHOWN_CHARACTERS]
    raise ResultError(
        f"node {host}: the script ended without its result; the last line printed was: {shown}. "
        f"See what answers in place of the login shell of {user}, and let the next run do it "
        "again: pulumi up --replace with the URN of this command"
    )
