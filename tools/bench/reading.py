"""How long reading the hosts takes in a preview, and how much memory, with few and with many.

    python -m tools.bench.reading [--hosts 3 30 300 1000]

The hosts are SSH servers on 127.0.0.1 in processes of their own, which answer at once what a
healthy node answers: what is measured is this program and its SSH, with a real handshake, login
and pinned host key each. What the scripts take on a real host comes on top, on all hosts at once.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import asyncssh

from components.hosts.address import HostAddress
from components.hosts.asking import ReadingPlan
from components.hosts.connection import HostCredentials
from components.hosts.reading import Question, Reading, read_hosts
from components.nodes.findings import NodeFindings, node_findings
from components.nodes.script_parts import questions as questions_of
from configuration.stages import StageSettings
from tools.bench.apart import measured_apart, peak_mib
from tools.bench.healthy_host import DISK_SETTINGS, USER, healthy_answer
from tools.offline.stack_file import PROJECT

_THIS = "tools.bench.reading"
_HOSTS = (3, 30, 300, 1000)
_SERVERS = 2
_DEADLINE_SECONDS = 600.0


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One reading of all hosts."""

    hosts: int
    seconds: float
    """By the clock, with the servers' own work on the same machine."""
    cpu_seconds: float
    """Of the processor, for this program alone."""
    peak_mib: float
    """Peak of the process's memory while it read, less what it had before."""


async def serve(client_key: str) -> None:
    """Serve until standard input ends; tells port and host key in one line.

    Args:
        client_key: the public key that may log in.
    """
    answer, allowed = healthy_answer(), asyncssh.import_authorized_keys(client_key)
    host_key = asyncssh.generate_private_key("ssh-ed25519")

    async def handle(process: Any) -> None:
        await process.stdin.read()
        process.stdout.write(answer)
        process.exit(0)

    listener = await asyncssh.listen(
        "127.0.0.1",
        0,
        authorized_client_keys=allowed,
        server_host_keys=[host_key],
        process_factory=handle,
        encoding=None,
    )
    public = host_key.export_public_key().decode().strip()
    print(json.dumps({"port": listener.get_port(), "hostKey": public}), flush=True)
    await asyncio.to_thread(sys.stdin.read)


def measure(hosts: int) -> Measurement:
    """Read that many hosts, in this process. Raises RuntimeError if one was not read well."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    public = key.export_public_key().decode().strip()
    servers = [
        subprocess.Popen(
            [sys.executable, "-m", _THIS, "--serve", public],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(_SERVERS)
    ]
    try:
        addresses = [json.loads(server.stdout.readline()) for server in servers if server.stdout]
        return _measured(hosts, key.export_private_key().decode(), addresses)
    finally:
        for server in servers:
            server.communicate()


def _measured(hosts: int, private_key: str, servers: Sequence[dict[str, Any]]) -> Measurement:
    questions = [
        Question(
            address=HostAddress(
                name=f"node-{number}",
                host="127.0.0.1",
                port=servers[number % len(servers)]["port"],
                user=USER,
                host_key=servers[number % len(servers)]["hostKey"],
            ),
            disks=DISK_SETTINGS,
            parts=questions_of(DISK_SETTINGS),
        )
        for number in range(hosts)
    ]
    credentials = HostCredentials(private_key=private_key)
    plan = ReadingPlan(credentials=credentials, deadline_seconds=_DEADLINE_SECONDS)
    # The first reading loads what every later one has.
    read_hosts(questions[:1], plan)
    before = peak_mib()
    started, cpu_started = time.perf_counter(), time.process_time()
    readings = read_hosts(questions, plan)
    wrong = {name: said for name, reading in readings.items() if (said := _not_well(reading))}
    measured = Measurement(
        hosts=hosts,
        seconds=time.perf_counter() - started,
        cpu_seconds=time.process_time() - cpu_started,
        peak_mib=peak_mib() - before,
    )
    if wrong:
        raise RuntimeError(
            f"{len(wrong)} hosts were not read well, the first: {min(wrong.items())}"
        )
    return measured


def _not_well(reading: Reading) -> str | None:
    if reading.answer is None:
        return reading.problem
    findings = node_findings(reading.answer, DISK_SETTINGS, StageSettings())
    return None if findings == NodeFindings() else str(findings)


def table(measurements: Sequence[Measurement]) -> str:
    """The measurements as text in columns."""
    head = f"{'hosts':>6} {'seconds':>9} {'CPU s':>9} {'CPU ms/host':>12} {'peak MiB':>9}"
    return "\n".join(
        [
            head,
            *(
                f"{m.hosts:>6} {m.seconds:>9.2f} {m.cpu_seconds:>9.2f} "
                f"{1000 * m.cpu_seconds / m.hosts:>12.1f} {m.peak_mib:>9.1f}"
                for m in measurements
            ),
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure everything and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.reading", description=__doc__)
    parser.add_argument("--hosts", type=int, nargs="+", default=list(_HOSTS))
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--serve", metavar="PUBLIC_KEY", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.serve:
        asyncio.run(serve(options.serve))
    elif options.one:
        print(json.dumps(asdict(measure(options.one))))
    else:
        measurements: list[Measurement] = []
        for hosts in options.hosts:
            print(f"reading {hosts} hosts …", file=sys.stderr, flush=True)
            measurements.append(Measurement(**measured_apart(_THIS, "--one", str(hosts))))
        print(table(measurements))
    return 0


if __name__ == "__main__":
    sys.exit(main())
