"""The one question to `kubectl` that a program asks inside Rancher's container: a setting.

docker exec rancher kubectl get settings.management.cattle.io cacerts -o jsonpath={.value}
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from . import options, state
from .certificates import given_ca

_KIND = "settings.management.cattle.io"
_NOT_UP = (
    "The connection to the server localhost:6443 was refused - did you specify the right host or "
    "port?"
)


class KubectlError(RuntimeError):
    """What goes to standard error; the exit status is 1."""


def answer(
    arguments: Sequence[str], data_directory: Path, certificate_directory: Path | None = None
) -> str:
    """The value of the setting asked for, without a newline, as jsonpath prints it.

    Raises KubectlError while the server has not started, for a setting that there is not, and
    for any other question.
    """
    words = [word.strip("'\"") for word in arguments]
    if words[:1] == ["get"] and len(words) > 1 and words[1].startswith(f"{_KIND}/"):
        words[1:2] = words[1].split("/", 1)
    output = words[3:] in (["-o", "jsonpath={.value}"], ["-ojsonpath={.value}"])
    if words[:2] != ["get", _KIND] or not output:
        raise KubectlError(
            "this kubectl belongs to the lab's stand-in for Rancher and knows only: "
            f"kubectl get {_KIND} NAME -o jsonpath={{.value}}"
        )
    file = data_directory / "state.json"
    if not file.exists():
        raise KubectlError(_NOT_UP)
    name = words[2]
    if name == "cacerts":
        given = given_ca(certificate_directory)
        return (data_directory / "tls" / "ca.pem").read_text().strip() if given is None else given
    settings = state.load(file).settings
    if name not in settings:
        raise KubectlError(f'Error from server (NotFound): {_KIND} "{name}" not found')
    return settings[name]


def main() -> None:
    """Answer what the command line asks."""
    try:
        chosen = options.from_environment()
        sys.stdout.write(answer(sys.argv[1:], chosen.data_directory, chosen.certificate_directory))
    except KubectlError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
