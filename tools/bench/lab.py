"""How long Pulumi's real engine takes with real hosts of the lab: packages, disks, mounts.

    python -m tools.bench.lab [--hosts 3 8]

Prints the seconds of a first `up`, of a second one and of a preview, for each number of hosts, and
of Ansible's check of the same hosts where Ansible is installed, with the settings that its manual
advises for speed and with its own: of preview and checks the best of three, by turns. The lab that
it makes is its own and gone at the end. Needs root.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

_STATE = tempfile.mkdtemp(prefix="longhorn-rancher-bench-")
# Before the lab's modules are imported: a lab of the bench's own.
os.environ.update(LAB_STATE=_STATE, LAB_NAME="bench", LAB_SUBNET="10.88.0")

from lab.hosts import hosts  # noqa: E402
from lab.programs import plugins, toolchain  # noqa: E402
from lab.stack import NAME, LabParts, stack_config, write_project  # noqa: E402
from tools.bench import ansible  # noqa: E402

_HOSTS = (3, 8)
_ROUNDS = 3


def measure(count: int, folder: Path) -> list[float]:
    """Seconds of the first up, the second up, a preview and Ansible's checks with so many hosts."""
    pulumi = toolchain.binary("pulumi")
    handles = hosts.up(count)
    parts = LabParts(hosts=handles, kubeconfig=None, docker_host=None)
    write_project(folder / "stack", stack_config(parts))
    (folder / "backend").mkdir()
    environment = {
        **os.environ,
        "PATH": plugins.available(pulumi).path(pulumi),
        "PULUMI_BACKEND_URL": (folder / "backend").as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "only-for-the-bench",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }

    def seconds(*words: str) -> float:
        started = time.perf_counter()
        subprocess.run(
            [pulumi, *words],
            cwd=folder / "stack",
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return time.perf_counter() - started

    seconds("stack", "init", NAME)
    up = ("up", "--yes", "--skip-preview")
    ups = [seconds(*up), seconds(*up)]
    rounds: list[list[float]] = []
    for _ in range(_ROUNDS):
        rounds.append([seconds("preview", "--expect-no-changes")])
        if ansible.missing() is None:
            rounds[-1] += [
                ansible.check_seconds(handles, folder, is_advised=each) for each in (True, False)
            ]
    return [*ups, *map(min, zip(*rounds, strict=True))]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.lab", description=__doc__)
    parser.add_argument("--hosts", type=int, nargs="+", default=list(_HOSTS))
    heads = ("first up", "second up", "preview", "Ansible's check", "with its own settings")
    lines = [f"{'hosts':>6}" + "".join(f"{head:>23}" for head in heads) + "   (seconds)"]
    try:
        for count in parser.parse_args(arguments).hosts:
            folder = Path(_STATE) / f"{count}-hosts"
            folder.mkdir()
            measured = measure(count, folder)
            lines.append(f"{count:>6}" + "".join(f"{each:>23.1f}" for each in measured))
            hosts.down()
    finally:
        hosts.down()
        shutil.rmtree(_STATE, ignore_errors=True)
    print("\n".join([*lines, *filter(None, [ansible.missing()])]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
