"""`python -m lab build|up|status|down`: the disposable target on this machine."""

import shutil
import sys

from lab import up
from lab.cluster import kubernetes
from lab.common import as_root, processes
from lab.common.paths import STATE
from lab.common.progress import LabError, say
from lab.docker import engine as docker_engine
from lab.hosts import hosts
from lab.rancher.stand_in import agent


def main(words: list[str]) -> int:
    """Run one command of the lab; returns the exit status."""
    commands = {"build": up.build, "up": up.up, "status": _status, "down": _down}
    if len(words) != 1 or words[0] not in commands:
        print(f"usage: python -m lab {'|'.join(commands)}", file=sys.stderr)
        return 2
    try:
        if words != ["build"]:
            as_root.become("lab", words)
        commands[words[0]]()
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    return 0


def _status() -> None:
    for host in hosts.status():
        state = "runs" if host.running else "is down"
        print(f"host {host.name} at {host.address} {state}; disks {', '.join(host.disks)}")
    cluster = kubernetes.status()
    for name, running in cluster.processes.items():
        print(f"{name} {'runs' if running else 'is down'}")
    print(f"nodes Ready: {', '.join(cluster.ready_nodes) or 'none'}")
    print(f"Docker engine: {docker_engine.status()}")
    print(f"Rancher's agent (a stand-in) {'runs' if agent.status() else 'is down'}")


def _down() -> None:
    # A Pulumi that still works would make anew what is taken away.
    processes.end_marked(up.ENGINES)
    agent.down()
    docker_engine.down()
    kubernetes.down()
    hosts.down()
    processes.end_marked(str(STATE))
    shutil.rmtree(STATE, ignore_errors=True)
    say("nothing of the lab is left")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
