"""How long the program takes, and how much memory, with few and with many nodes.

    python -m tools.bench.program [--nodes 3 30 300 1000]

The whole program runs under the SDK's mocks, as a preview and as an `up` whose resources all
answer at once: what is measured is this program and the SDK, not hosts and not Pulumi. Each
measurement has a process of its own, so that no run profits from the memory of another.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tools.bench.apart import measured_apart, peak_mib
from tools.offline.answers import AnsweringMocks
from tools.offline.recording import run_program
from tools.offline.stack_file import stack_config

_THIS = "tools.bench.program"
_NODES = (3, 30, 300, 1000)
_OPERATIONS = ("preview", "up")
_HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKH1xBfUOyxY2D4SgIFyiGgmCXfX7W8AYgjd1oWcQ1yM"
_KIB = 1024


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One run of the program."""

    nodes: int
    operation: str
    resources: int
    seconds: float
    """By the clock."""
    cpu_seconds: float
    """Of the processor, which other programs on the machine hardly change."""
    peak_mib: float
    """Peak of the process's memory while the program ran, less what it had before."""


def stack_of(nodes: int) -> dict[str, Any]:
    """A stack file's settings with this many nodes of two disks each."""
    return {
        "cluster": {"name": "bench"},
        "ssh": {"useAgent": True},
        "nodeDefaults": {
            "disks": [
                {"device": "/dev/sdb", "mountPoint": "/mnt/longhorn-sdb"},
                {"device": "/dev/sdc", "mountPoint": "/mnt/longhorn-sdc"},
            ]
        },
        "nodes": [
            {
                "name": f"node-{number}",
                "host": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
                "hostKey": _HOST_KEY,
            }
            for number in range(1, nodes + 1)
        ],
        "frontend": {"type": "NodePort", "nodePort": 30080},
        "rancher": {"url": "https://rancher.example.com"},
    }


def measure(nodes: int, operation: str) -> Measurement:
    """Run the program once, in this process."""
    # The first run loads the SDK's modules, which every program does once.
    run_program(stack_config(stack_of(1)), stack="bench", preview=True)
    is_preview = operation == "preview"
    config = stack_config(stack_of(nodes))
    before = peak_mib()
    started, cpu_started = time.perf_counter(), time.process_time()
    recording = run_program(
        config, stack="bench", preview=is_preview, mocks=None if is_preview else AnsweringMocks()
    )
    return Measurement(
        nodes=nodes,
        operation=operation,
        resources=len(recording.resources),
        seconds=time.perf_counter() - started,
        cpu_seconds=time.process_time() - cpu_started,
        peak_mib=peak_mib() - before,
    )


def table(measurements: Sequence[Measurement]) -> str:
    """The measurements as text in columns."""
    head = f"{'nodes':>6} {'operation':<10} {'resources':>9} {'seconds':>9} {'CPU s':>9}"
    lines = [f"{head} {'CPU ms/node':>12} {'peak MiB':>9} {'KiB/node':>9}"]
    for m in measurements:
        lines.append(
            f"{m.nodes:>6} {m.operation:<10} {m.resources:>9} {m.seconds:>9.2f} "
            f"{m.cpu_seconds:>9.2f} {1000 * m.cpu_seconds / m.nodes:>12.1f} {m.peak_mib:>9.1f} "
            f"{_KIB * m.peak_mib / m.nodes:>9.0f}"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure everything and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.program", description=__doc__)
    parser.add_argument("--nodes", type=int, nargs="+", default=list(_NODES))
    parser.add_argument("--one", nargs=2, metavar=("NODES", "OPERATION"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        print(json.dumps(asdict(measure(int(options.one[0]), options.one[1]))))
        return 0
    measurements: list[Measurement] = []
    for nodes in options.nodes:
        for operation in _OPERATIONS:
            print(f"{operation} with {nodes} nodes …", file=sys.stderr, flush=True)
            found = measured_apart(_THIS, "--one", str(nodes), operation)
            measurements.append(Measurement(**found))
    print(table(measurements))
    return 0


if __name__ == "__main__":
    sys.exit(main())
