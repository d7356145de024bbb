"""What every unit test starts from: an event loop of its own and no stack configuration."""

import asyncio
from collections.abc import Iterator

import pulumi
import pytest


@pytest.fixture(autouse=True)
def _event_loop_of_its_own() -> Iterator[None]:
    """A fresh loop for each test, closed after it: shared ones let pending tasks leak."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    pending = asyncio.all_tasks(loop)
    for task in pending:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
    asyncio.set_event_loop(None)
    loop.close()


@pytest.fixture(autouse=True)
def _no_configuration(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No key of an earlier test, and none from the environment."""
    monkeypatch.delenv("PULUMI_CONFIG", raising=False)
    monkeypatch.delenv("PULUMI_CONFIG_SECRET_KEYS", raising=False)
    pulumi.runtime.set_all_config({}, [])
    yield
    pulumi.runtime.set_all_config({}, [])
