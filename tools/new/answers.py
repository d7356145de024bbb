"""What a person's answers have to be like, by the very rules that hold for the stack file."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from components.hosts.connection import agent_path
from configuration.base import StackModel
from configuration.hosts import JumpHostSettings
from configuration.partial import read
from configuration.rancher import RancherSettings
from configuration.ssh_key import is_locked, ssh_key_problems
from tools.new.person import StoppedError

_USUAL_KEYS = ("~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa")
_JUMP = re.compile(r"(?:(?P<user>[^@]+)@)?(?P<host>\[[^]]+\]|[^:@]+)(?::(?P<port>[0-9]{1,5}))?")


def fitting(model: type[StackModel], **said: Any) -> None:
    """Raises StoppedError when the stack file must not say this in such a section."""
    _, problems = read(said, model, "")
    for problem in problems:
        key = problem.key.strip(".")
        if key in said:
            raise StoppedError(f"{said[key]!r} {problem.rule}. {problem.remedy}")


def jump_host(answer: str) -> JumpHostSettings | None:
    """The jump host in [USER@]HOST[:PORT], still without its key; None for an empty answer.

    Raises StoppedError.
    """
    if not answer:
        return None
    parts = _JUMP.fullmatch(answer)
    if parts is None:
        raise StoppedError(f"{answer} is no [USER@]HOST[:PORT], such as ops@bastion.example.com.")
    said = {
        "host": parts["host"].strip("[]"),
        "port": int(parts["port"] or 22),
        **({"user": parts["user"]} if parts["user"] else {}),
    }
    fitting(JumpHostSettings, **said)
    return JumpHostSettings.model_validate(said)


def key_question() -> tuple[str, str]:
    """What a person is asked about the SSH key, and the usual answer."""
    what = "File of the SSH private key"
    if agent_path() is not None:
        return f"{what} (empty: the SSH agent)", ""
    usual = next((each for each in _USUAL_KEYS if Path(each).expanduser().is_file()), "")
    return what if usual else f"{what} (empty: a password)", usual


def private_key(path: str) -> str | None:
    """The key in this file, which may be locked; None for no file. Raises StoppedError."""
    if not path:
        return None
    try:
        text = Path(path).expanduser().read_text()
    except (OSError, RuntimeError, ValueError) as error:
        raise StoppedError(f"the key file {path} can't be read: {error}") from None
    for problem in [] if is_locked(text) else ssh_key_problems(text, None, path, path=path):
        raise StoppedError(f"{path} {problem.rule}. {problem.remedy}")
    return text


def rancher_url(answer: str) -> str | None:
    """Rancher's address; None for an empty answer. Raises StoppedError."""
    if not answer:
        return None
    fitting(RancherSettings, url=answer)
    return answer


def docker_host(answer: str) -> str:
    """The Docker host. Raises StoppedError."""
    fitting(RancherSettings, dockerHost=answer)
    return answer


def docker_place(docker: str | None) -> tuple[str, int] | None:
    """Address and port of a Docker host that is reached by SSH."""
    if docker is None or not docker.startswith("ssh://"):
        return None
    parts = urlsplit(docker)
    return (parts.hostname or "", parts.port or 22)
