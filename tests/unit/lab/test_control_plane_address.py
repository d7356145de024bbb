"""Where a lab's control plane listens is its own, also while several labs start at once."""

import subprocess
import sys
from pathlib import Path

import pytest

from lab.cluster import control_plane_address
from lab.hosts import network

_CHOOSER = """
import sys
from pathlib import Path
from lab.cluster import control_plane_address
from lab.hosts import network

network.gateway = lambda: "192.0.2.1"
print(control_plane_address.chosen(Path(sys.argv[1])).ports.api, flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without the lab's network: the API listens on the loopback address."""
    monkeypatch.setattr(network, "gateway", lambda: "192.0.2.1")


def test_two_labs_that_start_at_once_choose_different_ports(tmp_path: Path) -> None:
    other = subprocess.Popen(
        [sys.executable, "-c", _CHOOSER, str(tmp_path / "other")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None
    theirs = int(other.stdout.readline())
    try:
        # Nothing listens on their port yet.
        ours = control_plane_address.chosen(tmp_path / "ours").ports.api
        assert ours != theirs
    finally:
        other.communicate()


def test_a_port_once_chosen_stays_the_labs(tmp_path: Path) -> None:
    first = control_plane_address.chosen(tmp_path)
    assert control_plane_address.chosen(tmp_path).ports == first.ports
