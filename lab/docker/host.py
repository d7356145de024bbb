"""A lab host that offers a Docker engine over SSH: DOCKER_HOST=ssh://operator@ADDRESS.

The Docker engine runs beside the host; the host has the docker command and Docker's socket,
which is all that an ssh:// connection uses.
"""

from dataclasses import replace
from pathlib import Path

from lab.common.progress import LabError
from lab.docker.engine import DockerHandle
from lab.hosts import hosts
from lab.hosts.hosts import HostHandle

NAME = "docker-host"


def docker_host(engine: DockerHandle, name: str = NAME, folder: Path | None = None) -> HostHandle:
    """Start the host unless it is there; its user `operator` may use the Docker engine.

    Args:
        folder: a folder of this machine that the host has under the same path, for containers
            that are to mount it: the Docker engine takes paths of the machine that it runs on.
    """
    if engine.is_machines_own:
        # Its directory is the machine's /run, which is no business of a lab host.
        shared = {str(engine.socket): "/run/docker.sock"}
    else:
        # The directory, because a Docker engine that starts again makes a new socket in it.
        shared = {str(engine.socket.parent): "/run/lab/docker"}
    shared[str(engine.client)] = "/usr/local/bin/docker"
    if folder is not None:
        shared[str(folder)] = str(folder)
    host = hosts.add_host(name, disks=0, binds=shared)
    group = engine.socket.stat().st_gid
    done = hosts.run(
        name,
        f"getent group {group} >/dev/null || groupadd --gid {group} docker\n"
        f'usermod --append --groups "$(getent group {group} | cut -d: -f1)" operator',
    )
    if done.returncode != 0:
        raise LabError(f"{name}: {done.stderr.strip()}")
    return replace(host, user="operator")
