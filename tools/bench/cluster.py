"""How long reading the cluster and its Longhorn takes in a preview, and how much memory.

    python -m tools.bench.cluster [--nodes 3 30 300 1000]

A cluster of so many nodes, and as many volumes of three replicas, is played by a server in a
process of its own on 127.0.0.1, which gives its lists in pages. What is measured is all that a
preview asks and concludes of it, the loss of any one node included.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pulumi
import yaml

from components.preflight.cluster_reading import look_at_cluster
from configuration.settings import load
from tools.bench.program import stack_of
from tools.offline.stack_file import PROJECT, stack_config

_NODES = (3, 30, 300, 1000)
_KIB = 1024


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One reading of a cluster."""

    nodes: int
    seconds: float
    """By the clock, with the server's own work on the same machine."""
    cpu_seconds: float
    """Of the processor, for this program alone."""
    peak_mib: float
    """Peak of the process's memory while it read, less what it had before."""


def measure(nodes: int) -> Measurement:
    """Read such a cluster in this process. Raises RuntimeError where it was not read well."""
    # The first reading loads what every later one has.
    _read(3)
    return _read(nodes)


def _read(nodes: int) -> Measurement:
    server = subprocess.Popen(
        [sys.executable, "-m", "tools.bench.a_large_cluster", str(nodes)],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "kubeconfig"
            path.write_text(_kubeconfig(int(server.stdout.readline())))
            return _measured(nodes, path)
    finally:
        server.communicate()


def _measured(nodes: int, kubeconfig: Path) -> Measurement:
    config = stack_config(
        {
            **stack_of(nodes),
            "cluster": {"name": "bench", "kubeconfig": str(kubeconfig)},
            "stages": {"rancher": False, "frontend": False},
            "checks": {"survive": "1 node"},
        }
    )
    pulumi.runtime.set_all_config(dict(config.values), sorted(config.secret_keys))
    settings = load()
    before = _peak_kib()
    started, cpu_started = time.perf_counter(), time.process_time()
    seen = look_at_cluster(settings)()
    measured = Measurement(
        nodes=nodes,
        seconds=time.perf_counter() - started,
        cpu_seconds=time.process_time() - cpu_started,
        peak_mib=(_peak_kib() - before) / _KIB,
    )
    if seen.storage is None or len(seen.storage.volumes) != nodes or seen.longhorn.disks:
        raise RuntimeError(f"the cluster was not read well: {seen.longhorn.disks or seen.results}")
    return measured


def _kubeconfig(port: int) -> str:
    server = {"server": f"http://127.0.0.1:{port}"}
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "bench", "cluster": server}],
            "users": [{"name": "bench", "user": {}}],
            "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "bench"}}],
            "current-context": "bench",
        }
    )


def _peak_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _measure_apart(nodes: int) -> Measurement:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tools.bench.cluster", "--one", str(nodes)],
        cwd=PROJECT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return Measurement(**json.loads(done.stdout.splitlines()[-1]))


def table(measurements: Sequence[Measurement]) -> str:
    """The measurements as text in columns."""
    head = f"{'nodes':>6} {'seconds':>9} {'CPU s':>9} {'peak MiB':>9}"
    lines = [
        f"{m.nodes:>6} {m.seconds:>9.2f} {m.cpu_seconds:>9.2f} {m.peak_mib:>9.1f}"
        for m in measurements
    ]
    return "\n".join([head, *lines])


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure everything and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.cluster", description=__doc__)
    parser.add_argument("--nodes", type=int, nargs="+", default=list(_NODES))
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        print(json.dumps(asdict(measure(options.one))))
        return 0
    measurements: list[Measurement] = []
    for nodes in options.nodes:
        print(f"reading a cluster of {nodes} nodes …", file=sys.stderr, flush=True)
        measurements.append(_measure_apart(nodes))
    print(table(measurements))
    return 0


if __name__ == "__main__":
    sys.exit(main())
