"""A Docker engine for the lab: one of its own, or this machine's where the person asks for that.

The lab's own engine writes no packet filter rule: published ports are carried by docker-proxy,
and containers have no way out to the Internet. It runs in mount and pid namespaces of its own,
with socket, data and bridge of its own, so that ending it removes everything it did.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from lab.common import daemons, namespaced, paths
from lab.common.progress import LabError, say
from lab.common.waiting import wait_until
from lab.docker.client import DockerHandle, command, import_image
from lab.docker.oci_runtime import within_bounds
from lab.docker.packages import DockerPrograms, docker_programs
from lab.hosts import disks as host_disks
from lab.hosts.files import SCRIPTS
from lab.hosts.network import ip

__all__ = ["DockerHandle", "command", "down", "import_image", "status", "up"]

MACHINE_SOCKET = Path("/var/run/docker.sock")
# Who may use the lab's socket inside a lab host. Debian reserves the range, so on this machine
# it is nobody's group.
SOCKET_GROUP = 65187

_DAEMON = "docker"
_START_SECONDS = 60.0
# The file is sparse: it takes what the images take.
_DATA_BYTES = 64 * 1024**3
_CGROUPS = Path("/sys/fs/cgroup")


def up() -> DockerHandle:
    """Start the lab's engine unless it runs; or hand out this machine's if LAB_DOCKER=machine."""
    if os.environ.get("LAB_DOCKER") == "machine":
        return _machines_own()
    programs = docker_programs()
    if not daemons.is_running(_DAEMON):
        _start(programs)
    wait_until(
        lambda: _answers(_socket()) or daemons.require_running(_DAEMON),
        doing="starting the Docker engine",
        seconds=_START_SECONDS,
        hint=f"See {daemons.log_file(_DAEMON)}.",
    )
    os.chown(_socket(), 0, SOCKET_GROUP)
    say(f"Docker engine up: unix://{_socket()}")
    return DockerHandle(f"unix://{_socket()}", _socket(), programs.docker, False)


def status() -> DockerHandle | None:
    """The Docker engine that `up` would hand out, if it runs."""
    if os.environ.get("LAB_DOCKER") == "machine":
        return _machines_own() if _answers(MACHINE_SOCKET) else None
    if not daemons.is_running(_DAEMON) or not _answers(_socket()):
        return None
    return DockerHandle(f"unix://{_socket()}", _socket(), docker_programs().docker, False)


def down() -> None:
    """End the lab's engine with its containers, and remove its images, volumes and networks.

    This machine's own engine is never touched.
    """
    networks = _network_ids() if daemons.is_running(_DAEMON) else []
    # Not politely: nothing of it is kept, and Docker would wait for each container first.
    namespaced.kill(_DAEMON)
    for disk in host_disks.attached_under(_directory()):
        host_disks.detach(disk)
    for link in (_bridge(), *(f"br-{identity[:12]}" for identity in networks)):
        if Path("/sys/class/net", link).exists():
            ip("link", "delete", link)
    for hierarchy in _CGROUPS.glob(f"**/{_cgroup()}"):
        _remove_cgroup(hierarchy)
    if _directory().exists():
        shutil.rmtree(_directory())
        say("Docker engine removed")


def _start(programs: DockerPrograms) -> None:
    _directory().mkdir(parents=True, exist_ok=True)
    (_directory() / "run").mkdir(exist_ok=True)
    _make_bridge()
    configuration = _directory() / "daemon.json"
    configuration.write_text(json.dumps(_configuration(programs), indent=2))
    environment = {"PATH": f"{programs.search_path}:{os.environ['PATH']}".removeprefix(":")}
    if programs.library_path:
        environment["LD_LIBRARY_PATH"] = programs.library_path
    daemons.start(
        _DAEMON,
        [
            *["env", *(f"{name}={value}" for name, value in environment.items())],
            # "slave": what the machine mounts later is seen, what Docker mounts stays inside.
            *["unshare", "--mount", "--propagation=slave", "--pid", "--fork", "--kill-child"],
            *["--mount-proc", "sh", SCRIPTS / "docker-engine.sh", _data_disk(), _directory()],
            *[programs.dockerd, f"--config-file={configuration}"],
        ],
    )


def _data_disk() -> Path:
    """A file system of the Docker engine's own for images and volumes, in one sparse file.

    So overlays work whatever file system the project lies on, and `down` removes one file instead
    of the hundred thousand that a few images hold.
    """
    disk = host_disks.attach(_directory() / "data.img", _DATA_BYTES)
    found = subprocess.run(["blkid", "--probe", disk.device], check=False, capture_output=True)
    if found.returncode != 0:
        # No journal: a lab's images and volumes need not survive a crash of the machine.
        subprocess.run(["mkfs.ext4", "-q", "-O", "^has_journal", disk.device], check=True)
    return disk.device


def _configuration(programs: DockerPrograms) -> Mapping[str, object]:
    configuration: dict[str, object] = {
        "hosts": [f"unix://{_socket()}"],
        "pidfile": str(_directory() / "dockerd.pid"),
        "data-root": str(_directory() / "data"),
        "exec-root": str(_directory() / "exec"),
        "bridge": _bridge(),
        "cgroup-parent": f"/{_cgroup()}",
        # No rule of this machine's packet filter, and none of its switches, is changed.
        "iptables": False,
        "ip6tables": False,
        "ip-forward": False,
        "ip-masq": False,
        "userland-proxy": True,
        # Lowering it takes a capability that the machine may lack.
        "oom-score-adjust": 0,
    }
    lacking = within_bounds.missing(
        within_bounds.bounding_set(Path("/proc/self/status").read_text())
    )
    if lacking:
        say(f"this machine lacks {', '.join(lacking)}: containers run without")
        arguments = ["-I", "-S", within_bounds.__file__, str(programs.runc)]
        configuration["runtimes"] = {
            "within-bounds": {"path": sys.executable, "runtimeArgs": arguments}
        }
        configuration["default-runtime"] = "within-bounds"
    return configuration


def _machines_own() -> DockerHandle:
    client = shutil.which("docker")
    if client is None or not _answers(MACHINE_SOCKET):
        raise LabError(
            f"LAB_DOCKER=machine, but no Docker engine answers on {MACHINE_SOCKET} (or the docker "
            "command is missing): start it, or unset LAB_DOCKER to let the lab start its own."
        )
    return DockerHandle(f"unix://{MACHINE_SOCKET}", MACHINE_SOCKET, Path(client), True)


def _answers(path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(str(path))
            connection.sendall(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
            return b" 200 " in connection.recv(64)
    except OSError:
        return False


def _network_ids() -> list[str]:
    handle = status()
    if handle is None:
        return []
    listed = command(handle, "network", "ls", "--no-trunc", "--quiet", "--filter=driver=bridge")
    return listed.splitlines()


def _make_bridge() -> None:
    if Path("/sys/class/net", _bridge()).exists():
        return
    ip("link", "add", _bridge(), "type", "bridge")
    # Next to the hosts' network, and as free as that one.
    first, second, third = paths.subnet().split(".")
    address = f"{first}.{int(second) ^ 128}.{third}.1/24"
    ip("address", "add", address, "dev", _bridge())
    ip("link", "set", _bridge(), "up")


def _remove_cgroup(cgroup: Path) -> None:
    for child in cgroup.iterdir():
        if child.is_dir():
            _remove_cgroup(child)
    cgroup.rmdir()


def _socket() -> Path:
    return _directory() / "run" / "docker.sock"


def _bridge() -> str:
    return f"{paths.lab_name()}dk0"


def _cgroup() -> str:
    return f"{paths.lab_name()}-docker"


def _directory() -> Path:
    return paths.STATE / "docker"
