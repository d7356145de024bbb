"""Fixtures of the script tests: each test gets a throwaway host of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scripts import sandbox
from tests.scripts.sandbox import Sandbox


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Sandbox]:
    reason = sandbox.why_not()
    if reason:
        pytest.skip(reason)
    with sandbox.sandbox(tmp_path) as running:
        yield running
