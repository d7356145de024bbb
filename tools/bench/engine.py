"""What Pulumi's real engine takes with few and with many nodes: processor, memory, state.

    python -m tools.bench.engine [--nodes 3 10 30 100] [--set NAME=VALUE] [--parallel N]

Packages and two disks on each node, by Pulumi's engine and the command plugin, against SSH servers
on the loopback that answer at once: tools/bench/a_thousand_hosts.py. Everything is measured over
all processes that `pulumi` starts; the servers do not count.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh
import yaml

from lab.programs import plugins, toolchain
from lab.stack import NAME, write_project
from tools.bench.a_thousand_hosts import PORT, address
from tools.bench.healthy_host import DISKS, USER
from tools.offline.stack_file import PROJECT

_NODES = (3, 10, 30, 100)
_PER_SERVER = 500
_SAMPLE_SECONDS = 0.5
_MIB = 1 << 20
_KINDS = {
    "pulumi-resource-command": "command plugin",
    "pulumi-language-python-exec": "program",
    "pulumi-resource-pulumi-python": "dynamic providers",
    "pulumi.dynamic": "dynamic providers",
    "pulumi-language-python": "language host",
    "pulumi": "CLI",
}
"""Kinds of processes by what their command lines have; the first that fits counts."""
_OFF = dict.fromkeys(("labels", "longhorn", "frontend", "rancher"), False)


@dataclass(frozen=True, kw_only=True)
class Run:
    """One operation of Pulumi's engine."""

    seconds: float
    cpu_seconds: float
    peak_mib: float
    """Of all its processes together, at one moment."""
    shares: Mapping[str, float]
    """CPU seconds by kind of process, as last seen; what each did in its last moment is missing."""


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One number of nodes."""

    nodes: int
    resources: int
    state_bytes: int
    up: Run
    preview: Run


def config(key_file: Path, nodes_file: Path) -> dict[str, Any]:
    """The stack file's settings for these hosts."""
    sections: dict[str, Any] = {
        "cluster": {"name": "bench", "nodesFile": str(nodes_file)},
        "stages": _OFF,
        "checks": {"timeoutSeconds": 600},
        "ssh": {"user": USER, "port": PORT, "privateKeyFile": str(key_file)},
        "nodeDefaults": {
            "disks": [{"device": f"/dev/{path[-3:]}", "mountPoint": path} for path in DISKS]
        },
    }
    return {f"longhorn-rancher:{key}": value for key, value in sections.items()}


def write_nodes(nodes_file: Path, nodes: int, host_key: str) -> None:
    """List that many nodes in a file of their own."""
    listed = [
        {"name": f"node-{number}", "host": address(number), "hostKey": host_key}
        for number in range(1, nodes + 1)
    ]
    nodes_file.write_text(yaml.safe_dump(listed))


@contextmanager
def servers(count: int, client_key: str) -> Iterator[str]:
    """That many hosts; their host key."""
    processes: list[subprocess.Popen[str]] = []
    host_key = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
    try:
        for first in range(1, count + 1, _PER_SERVER):
            number = min(_PER_SERVER, count + 1 - first)
            words = [client_key, str(first), str(number)]
            processes.append(
                subprocess.Popen(
                    [sys.executable, "-m", "tools.bench.a_thousand_hosts", *words],
                    cwd=PROJECT,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            sent = processes[-1].stdin
            assert sent is not None
            sent.write(json.dumps(host_key) + "\n")
            sent.flush()
        told = [each.stdout.readline().strip() for each in processes if each.stdout]
        yield told[0]
    finally:
        for each in processes:
            each.communicate()


def measure(
    nodes: int, folder: Path, switches: Mapping[str, str], flags: Sequence[str]
) -> Measurement:
    """A first `up` and a preview after it with this many nodes."""
    pulumi = toolchain.binary("pulumi")
    key = asyncssh.generate_private_key("ssh-ed25519")
    key_file = folder / "key"
    key_file.touch(mode=0o600)
    key_file.write_bytes(key.export_private_key())
    (folder / "backend").mkdir()
    environment = {
        **os.environ,
        "PATH": plugins.available(pulumi).path(pulumi),
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_BACKEND_URL": (folder / "backend").as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "only-for-the-bench",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        **switches,
    }
    with servers(nodes, key.export_public_key().decode().strip()) as host_key:
        write_nodes(folder / "nodes.yaml", nodes, host_key)
        write_project(folder / "stack", config(key_file, folder / "nodes.yaml"))

        def run(*words: str) -> Run:
            return _run([str(pulumi), *words], folder / "stack", environment, folder / "log")

        run("stack", "init", NAME)
        up = run("up", "--yes", "--skip-preview", *flags)
        preview = run("preview", "--expect-no-changes", *flags)
    (state,) = (folder / "backend" / ".pulumi" / "stacks").rglob(f"{NAME}.json")
    deployment = json.loads(state.read_text())["checkpoint"]["latest"]
    return Measurement(
        nodes=nodes,
        resources=len(deployment["resources"]),
        state_bytes=state.stat().st_size,
        up=up,
        preview=preview,
    )


def _run(words: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path) -> Run:
    before, started = _cpu(), time.perf_counter()
    with log.open("ab") as output:
        process = subprocess.Popen(
            words,
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        peak = _Peak(process.pid)
        status = process.wait()
    if status != 0:
        raise RuntimeError(f"{' '.join(words)} failed:\n{log.read_text()[-3000:]}")
    return Run(
        seconds=time.perf_counter() - started,
        cpu_seconds=_cpu() - before,
        peak_mib=peak.end() / _MIB,
        shares=peak.shares(),
    )


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class _Peak:
    """The most memory that all processes of a session had together, and the work of each kind."""

    def __init__(self, session: int) -> None:
        self._session = session
        self._most = 0
        self._work: dict[str, tuple[str, float]] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def end(self) -> int:
        """In bytes."""
        self._ended.set()
        self._thread.join()
        return self._most

    def shares(self) -> dict[str, float]:
        """CPU seconds by kind of process."""
        found: dict[str, float] = {}
        for kind, seconds in self._work.values():
            found[kind] = found.get(kind, 0.0) + seconds
        return found

    def _watch(self) -> None:
        while not self._ended.wait(_SAMPLE_SECONDS):
            self._most = max(self._most, sum(map(self._resident, Path("/proc").glob("[0-9]*"))))

    def _resident(self, process: Path) -> int:
        try:
            fields = (process / "stat").read_text().rpartition(") ")[2].split()
        except OSError:
            return 0
        if int(fields[3]) != self._session:
            return 0
        work = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        before, _ = self._work.get(process.name, ("other", 0.0))
        # A process that has ended has no command line any more.
        self._work[process.name] = (_kind(process) or before, work)
        return int(fields[21]) * resource.getpagesize()


def _kind(process: Path) -> str | None:
    try:
        words = (process / "cmdline").read_text()
    except OSError:
        return None
    return next((name for mark, name in _KINDS.items() if mark in words), None)


def table(measurements: Sequence[Measurement]) -> str:
    """The measurements as text in columns."""
    lines = [
        f"{'nodes':>6} {'resources':>9} {'state KB/node':>13} {'up s':>8} {'up CPU s':>9} "
        f"{'CPU s/node':>10} {'up MiB':>7} {'preview s':>9} {'CPU s':>7}"
    ]
    lines += [
        f"{m.nodes:>6} {m.resources:>9} {m.state_bytes / m.nodes / 1000:>13.1f} "
        f"{m.up.seconds:>8.1f} {m.up.cpu_seconds:>9.1f} {m.up.cpu_seconds / m.nodes:>10.2f} "
        f"{m.up.peak_mib:>7.0f} {m.preview.seconds:>9.1f} {m.preview.cpu_seconds:>7.1f}"
        for m in measurements
    ]
    for m in measurements:
        for name, run in (("up", m.up), ("preview", m.preview)):
            shares = ", ".join(f"{kind} {cpu:.1f}" for kind, cpu in sorted(run.shares.items()))
            lines.append(f"{m.nodes:>6} {name}: CPU s of {shares}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.engine", description=__doc__)
    parser.add_argument("--nodes", type=int, nargs="+", default=list(_NODES))
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--parallel", type=int)
    options = parser.parse_args(arguments)
    switches = dict(each.split("=", 1) for each in options.set)
    flags = [] if options.parallel is None else [f"--parallel={options.parallel}"]
    measured: list[Measurement] = []
    for nodes in options.nodes:
        print(f"{nodes} nodes …", file=sys.stderr, flush=True)
        folder = Path(tempfile.mkdtemp(prefix="longhorn-rancher-bench-"))
        try:
            measured.append(measure(nodes, folder, switches, flags))
            print(table(measured[-1:]), file=sys.stderr, flush=True)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    print(table(measured))
    return 0


if __name__ == "__main__":
    sys.exit(main())
