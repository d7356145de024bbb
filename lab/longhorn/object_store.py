"""An object store for Longhorn's backups: versitygw over a folder, as one process.

Owns the process and its folder under STATE. Every process of the lab's machine reaches it, and so
do the lab's hosts where their network was there first.
"""

import shutil
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.common import daemons, paths
from lab.common.waiting import wait_until
from lab.programs.toolchain import OBJECT_STORE, binary

_PROCESS = "object-store"
_READY_SECONDS = 60.0
_REGION = "us-east-1"


@dataclass(frozen=True)
class ObjectStore:
    """The running store.

    Args:
        endpoint: its address.
        user: who may do everything.
        password: that user's.
        bucket: the one bucket.
    """

    endpoint: str
    user: str
    password: str
    bucket: str

    @property
    def target(self) -> str:
        """The bucket as Longhorn names it."""
        return f"s3://{self.bucket}@{_REGION}/"

    def files(self) -> list[Path]:
        """What is in the bucket, as files below it."""
        bucket = self.path(Path())
        return sorted(file.relative_to(bucket) for file in bucket.rglob("*") if file.is_file())

    def path(self, file: Path) -> Path:
        """Where this machine has a file of the bucket."""
        return _folder() / "data" / self.bucket / file


def up(bucket: str = "backups") -> ObjectStore:
    """Start it with one bucket, unless it runs; where it was stopped, at its former port.

    Raises LabError when it does not come up.
    """
    data = _folder() / "data"
    (data / bucket).mkdir(parents=True, exist_ok=True)
    port_file = _folder() / "port"
    if not port_file.exists():
        port_file.write_text(str(_free_port()))
    port = int(port_file.read_text())
    store = ObjectStore(f"http://{_address()}:{port}", "lab", "of-the-lab-alone", bucket)
    daemons.start(_PROCESS, _command(store, port, data))
    wait_until(
        lambda: _answers(port),
        doing=f"waiting for the object store at {store.endpoint}",
        seconds=_READY_SECONDS,
        hint=f"See {daemons.log_file(_PROCESS)}.",
    )
    return store


def stop() -> None:
    """End its process; what is stored stays."""
    daemons.stop(_PROCESS)


def down() -> None:
    """End it and remove what it holds."""
    stop()
    shutil.rmtree(_folder(), ignore_errors=True)


def _command(store: ObjectStore, port: int, data: Path) -> Sequence[str | Path]:
    return [
        binary(OBJECT_STORE.name),
        *("--access", store.user, "--secret", store.password, "--region", _REGION),
        *("--port", f":{port}"),
        "posix",
        data,
    ]


def _address() -> str:
    """The machine's address in the lab's network, if there is one, else its own."""
    address = f"{paths.subnet()}.1"
    try:
        with socket.socket() as tried:
            tried.bind((address, 0))
    except OSError:
        return "127.0.0.1"
    return address


def _answers(port: int) -> bool:
    daemons.require_running(_PROCESS)
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("", 0))
        return int(taken.getsockname()[1])


def _folder() -> Path:
    return paths.STATE / _PROCESS
