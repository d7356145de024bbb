"""One lab host that offers the lab's Docker engine over SSH: DOCKER_HOST=ssh://operator@ADDRESS.

The engine itself runs beside the host; the host has the docker command and the engine's socket,
which is all that an ssh:// connection uses.
"""

from dataclasses import replace

from lab import hosts
from lab.docker_engine import DockerHandle
from lab.hosts import HostHandle
from lab.progress import LabError

NAME = "docker-host"


def docker_host(engine: DockerHandle) -> HostHandle:
    """Start the host unless it is there; its user `operator` may use the engine."""
    if engine.is_machines_own:
        # Its directory is the machine's /run, which is no business of a lab host.
        shared = {str(engine.socket): "/run/docker.sock"}
    else:
        # The directory, because an engine that starts again makes a new socket in it.
        shared = {str(engine.socket.parent): "/run/lab/docker"}
    shared[str(engine.client)] = "/usr/local/bin/docker"
    host = hosts.add_host(NAME, disks=0, binds=shared)
    group = engine.socket.stat().st_gid
    done = hosts.run(
        NAME,
        f"getent group {group} >/dev/null || groupadd --gid {group} docker\n"
        f'usermod --append --groups "$(getent group {group} | cut -d: -f1)" operator',
    )
    if done.returncode != 0:
        raise LabError(f"{NAME}: {done.stderr.strip()}")
    return replace(host, user="operator")
