"""What a program asks of `kubectl` inside Rancher's container: a setting, read or changed.

docker exec rancher kubectl get settings.management.cattle.io cacerts -o jsonpath={.value}
docker exec rancher kubectl patch settings.management.cattle.io server-url --type=merge \\
    -p '{"value":"https://rancher.example.com"}'

A change goes through the server that runs, as it does where Kubernetes tells Rancher of it.
"""

import json
import ssl
import sys
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from urllib.error import HTTPError

from . import options, state
from .context import SETTING_DEFAULTS

_KIND = "settings.management.cattle.io"
_NOT_UP = (
    "The connection to the server localhost:6443 was refused - did you specify the right host or "
    "port?"
)


class KubectlError(RuntimeError):
    """What goes to standard error; the exit status is 1."""


def answer(arguments: Sequence[str], data_directory: Path, port: int = 443) -> str:
    """The value of the setting asked for, without a newline, as jsonpath prints it.

    Args:
        port: where the server is that carries out a change.

    Raises KubectlError while the server has not started, for a setting that there is not, and
    for any other question.
    """
    words = [word.strip("'\"") for word in arguments]
    if len(words) > 1 and words[1].startswith(f"{_KIND}/"):
        words[1:2] = words[1].split("/", 1)
    if words[:2] == ["patch", _KIND] and words[3:5] == ["--type=merge", "-p"] and len(words) == 6:
        return _patch(words[2], words[5], data_directory, port)
    output = words[3:] in (["-o", "jsonpath={.value}"], ["-ojsonpath={.value}"])
    if words[:2] != ["get", _KIND] or not output:
        raise KubectlError(
            "this kubectl belongs to the lab's stand-in for Rancher and knows only: "
            f"kubectl get {_KIND} NAME -o jsonpath={{.value}}, and "
            f"kubectl patch {_KIND} NAME --type=merge -p JSON"
        )
    file = data_directory / "state.json"
    if not file.exists():
        raise KubectlError(_NOT_UP)
    name = words[2]
    settings = state.load(file).settings
    if name not in settings and name not in SETTING_DEFAULTS:
        raise KubectlError(f'Error from server (NotFound): {_KIND} "{name}" not found')
    return settings.get(name, "")


def _patch(name: str, body: str, data_directory: Path, port: int) -> str:
    file = data_directory / "state.json"
    if not file.exists():
        raise KubectlError(_NOT_UP)
    blind = ssl.create_default_context()
    blind.check_hostname, blind.verify_mode = False, ssl.CERT_NONE
    request = urllib.request.Request(
        f"https://127.0.0.1:{port}/lab/settings/{name}",
        data=json.dumps(json.loads(body)).encode(),
        headers={"Authorization": f"Bearer {state.load(file).install_uuid}"},
        method="POST",
    )
    try:
        urllib.request.urlopen(request, timeout=10, context=blind).close()  # noqa: S310
    except HTTPError as error:
        raise KubectlError(f'Error from server (NotFound): {_KIND} "{name}" not found') from error
    except OSError:
        raise KubectlError(_NOT_UP) from None
    return f"setting.management.cattle.io/{name} patched\n"


def main() -> None:
    """Answer what the command line asks."""
    try:
        sys.stdout.write(answer(sys.argv[1:], options.from_environment().data_directory))
    except KubectlError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
