"""The private key that opens the hosts, looked at before any of them is asked. Nothing of it is
shown."""

from collections.abc import Iterator

from configuration.problems import Problem
from configuration.secrets import UNDECRYPTED, Secret

_PUBLIC = ("ssh-", "ecdsa-", "sk-")
_PUTTY = "PuTTY-User-Key-File"
# Go's SSH library, which the command plugin has, opens no such key: x/crypto, ssh/keys.go.
_LOCKED_PKCS8 = "BEGIN ENCRYPTED PRIVATE KEY-----"
_OTHER = "Give the key that `ssh-keygen -t ed25519` made, whole, with its first and last line."


def ssh_key_problems(
    text: str, passphrase: str | None, key: str, *, path: str | None
) -> Iterator[Problem]:
    """Why the key can't be used; at most one problem.

    Args:
        text: The key.
        passphrase: What it is locked with, if it is.
        key: The full key of the stack file that it comes from.
        path: The file that it was read from; None for a secret.
    """
    found = _unfit(text, passphrase, is_file=path is not None)
    if found is not None:
        rule, remedy = found
        yield Problem(key, rule, remedy, path)


def is_locked(text: str) -> bool:
    """Whether it is a private key that only a passphrase opens, and Pulumi's commands can open."""
    import asyncssh

    if _LOCKED_PKCS8 in text:
        return False
    try:
        asyncssh.import_private_key(text)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, ValueError) as error:
        return "assphrase" in str(error)
    return False


def _unfit(text: str, passphrase: str | None, *, is_file: bool) -> tuple[str, str] | None:
    if text.startswith(_PUBLIC):
        return "is the public key", "Give the private one, mostly the file without .pub."
    if text.startswith(_PUTTY):
        return "is a key of PuTTY's", "Convert it: puttygen KEY.ppk -O private-openssh -o KEY."
    if "PRIVATE KEY-----" not in text:
        # A secret that nobody has decrypted, as for `make plan`, has other words in its place.
        is_wrong = is_file or text.startswith(("/", "~"))
        return ("is no private key, but something else", _OTHER) if is_wrong else None
    if _LOCKED_PKCS8 in text:
        return (
            "is locked in PKCS#8, a form that Pulumi's commands can't open",
            "Write it in OpenSSH's own form: ssh-keygen -p -f KEY.",
        )
    # The process of the dynamic providers has this package, and opens hosts in few of its runs.
    import asyncssh

    try:
        asyncssh.import_private_key(text, passphrase)
    except asyncssh.KeyEncryptionError:
        secret = Secret.SSH_PRIVATE_KEY_PASSPHRASE
        return (
            f"is not opened by the secret {secret}",
            f"Set it: pulumi config set --secret {secret}",
        )
    except (asyncssh.KeyImportError, ValueError) as error:
        if "assphrase" in str(error):
            secret = Secret.SSH_PRIVATE_KEY_PASSPHRASE
            return (
                "is locked with a passphrase",
                f"Set it: pulumi config set --secret {secret}; or take a key without one, or an "
                "agent (ssh.useAgent).",
            )
        return "is cut off, or of a form that can't be read", _OTHER
    # As above: nobody has decrypted it.
    if passphrase not in (None, UNDECRYPTED) and not is_locked(text):
        secret = Secret.SSH_PRIVATE_KEY_PASSPHRASE
        return (
            f"is not locked, and Pulumi's commands refuse it with the secret {secret}",
            f"Take the secret out: pulumi config rm {secret}",
        )
    return None
