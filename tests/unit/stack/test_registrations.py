"""The end of a program waits for what it declared in a time that grows with its number alone."""

import asyncio
import contextvars
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pulumi
import pytest
from pulumi.runtime import stack
from pulumi.runtime.settings import ROOT

from components.stack.registrations import wait_for_registrations_first
from tools.offline.recording import DefaultMocks

_RESOURCES = 30


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many outputs the SDK looked at, for each time that it waited for all of them."""
    sizes: list[int] = []
    wait = asyncio.wait

    async def counted(several: Collection[asyncio.Future[Any]], **options: Any) -> Any:
        sizes.append(len(several))
        return await wait(several, **options)

    monkeypatch.setattr(asyncio, "wait", counted)
    monkeypatch.setattr(stack, "wait_for_rpcs", stack.wait_for_rpcs)
    return sizes


def _declare() -> None:
    wait_for_registrations_first()
    for number in range(_RESOURCES):
        pulumi.ComponentResource("test:index:Part", f"part-{number}")


def _run() -> None:
    """As Pulumi's language host runs a program: nothing gets a turn before its last line."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        pulumi.runtime.set_mocks(DefaultMocks(), project="test", stack="test", preview=True)
        # That made a stack by itself; the run makes its own.
        loop.run_until_complete(stack.wait_for_rpcs())
        ROOT.set(None)
        loop.run_until_complete(stack.run_in_stack(_declare))
    finally:
        loop.close()


def test_an_output_is_not_looked_at_again_for_each_registration(looked: list[int]) -> None:
    with ThreadPoolExecutor(max_workers=1) as apart:
        apart.submit(contextvars.copy_context().run, _run).result()
    assert sum(looked) < 2 * _RESOURCES
