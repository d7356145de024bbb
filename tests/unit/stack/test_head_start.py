"""What a preview begins with while it reads: asked of Pulumi's engine once, and harmless."""

import threading
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import resource_pb2, resource_pb2_grpc
from pydantic.alias_generators import to_camel

from components.stack import head_start
from components.stack.head_start import take_head_start
from configuration.stages import StageSettings
from tests.unit.doubles.a_stack import load, valid

_SECONDS = 10
_HOSTS_ALONE = dict.fromkeys(("labels", "longhorn", "frontend", "rancher"), False)


class _Monitor(resource_pb2_grpc.ResourceMonitorStub):
    """What the SDK has where Pulumi's engine runs; it refuses, as the engine does."""

    def __init__(self) -> None:
        self.asked: list[resource_pb2.ResourceInvokeRequest] = []

    def Invoke(  # noqa: N802  # pyright: ignore[reportIncompatibleVariableOverride]
        self, request: resource_pb2.ResourceInvokeRequest
    ) -> None:
        self.asked.append(request)
        raise grpc.RpcError


@pytest.fixture
def monitor(monkeypatch: pytest.MonkeyPatch) -> _Monitor:
    monitor = _Monitor()
    monkeypatch.setattr("pulumi.runtime.settings.get_monitor", lambda: monitor)
    return monitor


def _begun(monkeypatch: pytest.MonkeyPatch, *, is_preview: bool = True, **stack: Any) -> set[str]:
    """The names of what is begun, without beginning it."""
    begun: set[str] = set()
    monkeypatch.setattr(head_start, "_begin", lambda work: begun.add(work.__name__))
    monkeypatch.setattr("pulumi.runtime.is_dry_run", lambda: is_preview)
    take_head_start(load(valid(**stack)))
    return begun


def test_a_preview_of_the_whole_stack_begins_with_the_process_and_with_imports(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert _begun(monkeypatch) == {"_start_dynamic_resources", "_import_what_is_declared"}


def test_a_preview_of_hosts_alone_imports_nothing_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _begun(monkeypatch, stages=_HOSTS_ALONE) == {"_start_dynamic_resources"}


def test_where_nothing_may_be_dynamic_no_process_is_started_that_the_preview_would_show(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    off = {to_camel(name): False for name in StageSettings.model_fields}
    frontend = {**off, "frontend": True}
    assert _begun(monkeypatch, stages=frontend) == {"_import_what_is_declared"}


def test_an_update_begins_with_nothing_since_it_would_stay_in_the_state(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert _begun(monkeypatch, is_preview=False) == set()


def test_the_engine_is_asked_once_for_what_it_can_only_refuse(
    monitor: _Monitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", ended.append)
    monkeypatch.setattr("pulumi.runtime.is_dry_run", lambda: True)
    before = set(threading.enumerate())
    take_head_start(load(valid(stages=_HOSTS_ALONE)))
    for thread in set(threading.enumerate()) - before:
        thread.join(_SECONDS)
    (asked,) = monitor.asked
    assert asked.tok.startswith("pulumi-python:")
    assert list(asked.dependsOn) == ["nothing"]
    assert ended == []
