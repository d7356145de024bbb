"""Opening the cluster from several dynamic resources that run at a time in one process."""

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from components.cluster import api
from components.cluster.api import ClusterApi


def test_one_kubeconfig_is_read_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    inside: list[str] = []
    others: list[list[str]] = []
    second_came = threading.Event()

    def opened(**_options: Any) -> Any:
        inside.append(threading.current_thread().name)
        others.append(list(inside))
        if len(inside) > 1:
            second_came.set()
        # Long enough for the other one to come in as well, if it may.
        second_came.wait(0.2)
        inside.remove(threading.current_thread().name)
        return SimpleNamespace()

    monkeypatch.setattr(api, "_config", SimpleNamespace(new_client_from_config=opened))
    monkeypatch.setattr(api, "_client", _AnyClient())
    threads = [threading.Thread(target=ClusterApi, args=("k", None)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(each) for each in others] == [1, 1]


class _AnyClient:
    """Every group of the API."""

    def __getattr__(self, _name: str) -> Any:
        return lambda api: api
