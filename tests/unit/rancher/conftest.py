"""What the tests of every room of Rancher's have."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.common import waiting
from components.common.waiting import Clock
from components.rancher.registration import activity as rancher_activity
from components.rancher.registration import removal as rancher_removal
from lab.rancher.stand_in.server import StandIn
from tests.unit.doubles.a_rancher import running


@pytest.fixture
def stand_in(tmp_path: Path) -> Iterator[StandIn]:
    """A Rancher that has just started."""
    with running(tmp_path) as one:
        yield one


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between attempts so short that a test with retries takes no time."""
    monkeypatch.setattr(rancher_activity, "_INTERVAL_SECONDS", 0.01)
    monkeypatch.setattr(waiting, "SYSTEM_CLOCK", Clock(sleep=lambda _: time.sleep(0.01)))
    monkeypatch.setattr(rancher_removal, "_SEARCH_SECONDS", 0.5)
