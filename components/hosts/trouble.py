"""Why a host could not be read: in one line for a person, and the secret that was missing. Pure."""

import asyncssh

from components.hosts.connection import CredentialsError
from components.hosts.facts import FactsError
from configuration.secrets import Secret

_GIVE_IT = (
    "Give sudo's password as the secret sudoPassword, or let sudo not ask: a line `{user} "
    "ALL=(ALL) NOPASSWD: ALL` in a file of /etc/sudoers.d"
)
_SET_IT_AGAIN = "The secret sudoPassword is not the password of {user} there: set it again"
_NO_SUDO = "Install sudo there, or log in as root (ssh.user, nodes[].user)"
_SUDO_ASKS = {
    "a password is required": _GIVE_IT,
    "incorrect password": _SET_IT_AGAIN,
    # So says the sudo that is written in Rust, in three versions.
    "interactive authentication is required": _GIVE_IT,
    "incorrect authentication attempt": _SET_IT_AGAIN,
    "Authentication required but not attempted": _SET_IT_AGAIN,
}
"""What to do about a sudo that wants a password, or another one, by words in its answer."""
_REMEDIES = {
    **_SUDO_ASKS,
    "must have a tty": "Let sudo work without a terminal: a line `Defaults:{user} !requiretty` in "
    "a file of /etc/sudoers.d",
    "not in the sudoers file": "Let {user} become root: a line `{user} ALL=(ALL) NOPASSWD: ALL` in "
    "a file of /etc/sudoers.d",
    "sudo: not found": _NO_SUDO,
    "sudo: command not found": _NO_SUDO,
    "account is currently not available": "Give {user} a login shell that runs commands: chsh -s "
    "/bin/sh {user}",
    "rather than the user": "Set ssh.user (or nodes[].user) to that user, who needs sudo there",
}
"""What to do about an answer of sudo or of a login, by words in it."""


class ScriptError(FactsError):
    """The script failed on the host; the message has its last words and what to do."""

    def __init__(self, complaint: str, user: str) -> None:
        """Say what the host said last, and who had logged in."""
        remedies = (text for words, text in _REMEDIES.items() if words in complaint)
        remedy = next(remedies, "").format(user=user)
        super().__init__(
            f"reading it failed: {complaint or 'no message'}{remedy and f'. {remedy}'}"
        )
        self.sudo_asks = any(words in complaint for words in _SUDO_ASKS)
        """Whether sudo wanted a password, or another one."""


def reason(error: Exception) -> str:
    """What went wrong, in one line."""
    if isinstance(error, (FactsError, CredentialsError)):
        return str(error)
    if isinstance(error, asyncssh.HostKeyNotVerifiable):
        return "it shows another host key than the stack file pins"
    if isinstance(error, asyncssh.PermissionDenied):
        return "it lets nobody in with the stack's user and keys"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, asyncssh.ChannelOpenError):
        return f"the way to it is refused: {error.reason}"
    if isinstance(error, OSError):
        return f"it can't be reached: {error.strerror or error}"
    return f"{type(error).__name__}: {error}"


def lacked_secret(error: Exception) -> Secret | None:
    """The secret that is missing or wrong, where that is why."""
    if isinstance(error, asyncssh.PermissionDenied):
        return Secret.SSH_PASSWORD
    if isinstance(error, ScriptError) and error.sudo_asks:
        return Secret.SUDO_PASSWORD
    return None
