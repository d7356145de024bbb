"""What is shown while something runs, and what stays."""

import sys
from collections.abc import Iterator
from concurrent import futures
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from components.common import progress
from components.common.progress import show_progress, tell


@dataclass
class AnEngine(engine_pb2_grpc.EngineServicer):
    """Pulumi's engine, as far as it takes lines."""

    address: str = ""
    lines: list[tuple[int, str, bool]] = field(default_factory=list[tuple[int, str, bool]])

    def Log(self, request: Any, context: Any) -> empty_pb2.Empty:  # noqa: ARG002, N802
        """The engine's call."""
        self.lines.append((request.severity, request.message, request.ephemeral))
        return empty_pb2.Empty()


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Each test finds its engine anew."""
    progress._engine.cache_clear()
    yield
    progress._engine.cache_clear()


@pytest.fixture
def engine() -> Iterator[AnEngine]:
    server, servicer = grpc.server(futures.ThreadPoolExecutor(1)), AnEngine()
    engine_pb2_grpc.add_EngineServicer_to_server(servicer, server)
    servicer.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield servicer
    server.stop(None)


def _becomes_providers(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    spec = ModuleSpec("pulumi.dynamic.__main__", None)
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", spec)
    monkeypatch.setattr(sys, "argv", ["__main__.py", *arguments])


def test_progress_of_a_provider_reaches_the_engine_as_what_is_not_repeated(
    engine: AnEngine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _becomes_providers(monkeypatch, engine.address)
    show_progress("Longhorn: no manager; 60 s left")
    assert engine.lines == [(engine_pb2.INFO, "Longhorn: no manager; 60 s left", True)]
    assert capsys.readouterr() == ("", "")


def test_what_stays_goes_to_standard_error_where_the_engine_reads_it(
    engine: AnEngine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _becomes_providers(monkeypatch, engine.address)
    tell("done")
    assert engine.lines == []
    assert capsys.readouterr() == ("", "done\n")


def test_progress_is_told_where_the_engine_does_not_answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _becomes_providers(monkeypatch, "127.0.0.1:1")
    show_progress("x")
    assert capsys.readouterr() == ("", "x\n")


def test_progress_is_told_where_no_engine_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _becomes_providers(monkeypatch)
    show_progress("x")
    assert capsys.readouterr() == ("", "x\n")


def test_progress_is_told_in_a_process_that_is_not_the_providers(
    engine: AnEngine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["program", engine.address])
    show_progress("x")
    assert engine.lines == []
    assert capsys.readouterr() == ("", "x\n")
