"""What is imported while the hosts are read: the stages of the stack, and nothing else."""

import sys
import threading
from typing import Any

import pytest

from components.stack import ahead
from tests.unit.doubles.a_stack import load, valid

_STAGES = ["components.stack.longhorn", "components.stack.rancher"]
_NO_CLUSTER = {"labels": False, "longhorn": False, "frontend": False}


@pytest.mark.parametrize(
    ("stages", "providers"),
    [
        ({}, ["components.cluster.provider", "components.docker.provider"]),
        ({"rancher": False}, ["components.cluster.provider"]),
        (_NO_CLUSTER, ["components.docker.provider"]),
    ],
    ids=["all", "no Rancher", "no cluster"],
)
def test_only_providers_of_the_stack_are_imported(
    stages: dict[str, bool], providers: list[str]
) -> None:
    assert ahead.modules_ahead(load(valid(stages=stages))) == [*providers, *_STAGES]


def test_hosts_alone_import_nothing() -> None:
    assert not ahead.modules_ahead(load(valid(stages={**_NO_CLUSTER, "rancher": False})))


def test_it_is_done_beside_whatever_the_program_does(monkeypatch: pytest.MonkeyPatch) -> None:
    imported: list[tuple[str, bool]] = []
    done = threading.Event()

    def note(name: str) -> Any:
        imported.append((name, threading.current_thread() is threading.main_thread()))
        if name == _STAGES[-1]:
            done.set()
        return sys

    monkeypatch.setattr(ahead.importlib, "import_module", note)
    ahead.import_ahead(load(valid()))
    assert done.wait(30)
    assert (_STAGES[0], False) in imported


def test_where_nothing_is_read_nothing_is_imported_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead.threading, "Thread", pytest.fail)
    ahead.import_ahead(load(valid(checks={"readHosts": False, "readCluster": False})))
