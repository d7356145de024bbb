"""What docker-host-check tells about this very machine, which it only reads."""

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.docker.facts import HostFacts, host_facts
from tests.scripts.remote import script_text

pytestmark = pytest.mark.skipif(
    not Path("/proc/net/tcp").exists(), reason="reads the /proc of Linux"
)
SHELLS = ["sh", "busybox sh", "bash --posix"]


@pytest.fixture
def listening() -> Iterator[int]:
    """A port of 127.0.0.1 on which this process listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def _facts(port: int, folder: str = "/", shell: str = "sh") -> HostFacts:
    words = shell.split()
    if shutil.which(words[0]) is None:
        pytest.skip(f"needs the command {words[0]}")
    done = subprocess.run(
        # Nobody can listen on port 0.
        [*words, "-s", "--", str(port), "0", folder],
        input=script_text("docker-host-check.sh"),
        capture_output=True,
        text=True,
        check=True,
    )
    (line,) = done.stdout.splitlines()
    return host_facts(json.loads(line))


@pytest.mark.parametrize("shell", SHELLS)
def test_a_port_that_is_taken_is_told_with_address_and_process(listening: int, shell: str) -> None:
    (listener,) = _facts(listening, shell=shell).listeners
    assert (listener.port, str(listener.address)) == (listening, "127.0.0.1")
    assert listener.process == Path("/proc/self/comm").read_text().strip()


def test_a_port_that_is_free_is_not_told(listening: int) -> None:
    with socket.create_connection(("127.0.0.1", listening)) as connected:
        used_but_nobody_listens = int(connected.getsockname()[1])
        assert _facts(used_but_nobody_listens).listeners == ()


def test_a_listener_on_ipv6_is_told_too() -> None:
    try:
        server = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6")
    with server:
        (listener,) = _facts(int(server.getsockname()[1])).listeners
    assert str(listener.address) == "::1"


@pytest.mark.parametrize("shell", SHELLS)
def test_memory_is_all_that_the_machine_has(shell: str) -> None:
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    found = _facts(1, shell=shell).memory_bytes
    assert found is not None
    assert abs(found - pages * size) <= 1024**3


@pytest.mark.parametrize("shell", SHELLS)
def test_a_folder_that_is_not_there_yet_counts_as_its_parent(tmp_path: Path, shell: str) -> None:
    found = _facts(1, str(tmp_path / "not" / "there yet"), shell=shell).free_bytes
    free = shutil.disk_usage(tmp_path).free
    assert found is not None
    # Others write to the same disk meanwhile.
    assert abs(found - free) < max(1024**3, free // 10)
