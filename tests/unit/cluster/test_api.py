"""Opening the cluster from several dynamic resources that run at a time in one process."""

import json
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes.client.exceptions import ApiException

from components.cluster.api import ApiError, ClusterApi, listed_plainly


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

    monkeypatch.setattr("kubernetes.config.new_client_from_config", opened)
    threads = [threading.Thread(target=ClusterApi, args=("k", None)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(each) for each in others] == [1, 1]


def test_what_a_cluster_refuses_is_one_error_with_its_status_and_its_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_arguments: Any, **_options: Any) -> Any:
        refused = ApiException(status=409, reason="Conflict")
        refused.body = "somebody else was first"
        raise refused

    client = SimpleNamespace(
        call_api=refuse, client_side_validation=False, select_header_accept=str
    )
    monkeypatch.setattr("kubernetes.config.new_client_from_config", lambda **_options: client)
    cluster = ClusterApi("k", None)
    for ask in (lambda: cluster.core.read_node("node-1"), lambda: cluster.any.call_api("/", "GET")):
        with pytest.raises(ApiError, match="Conflict") as told:
            ask()
        assert (told.value.status, told.value.reason, told.value.body) == (
            409,
            "Conflict",
            "somebody else was first",
        )


def test_a_long_list_is_asked_for_in_pages_until_the_last() -> None:
    asked: list[dict[str, Any]] = []

    def ask(namespace: str, **options: Any) -> Any:
        asked.append({"namespace": namespace, **options})
        first = int(options.get("_continue", 0))
        following = str(first + 2) if first < 4 else ""
        items = [{"number": number} for number in (first, first + 1)]
        body = {"metadata": {"continue": following}, "items": items}
        return SimpleNamespace(data=json.dumps(body).encode())

    found = listed_plainly(ask, "storage", _request_timeout=10)
    assert [item["number"] for item in found] == [0, 1, 2, 3, 4, 5]
    assert [each.get("_continue") for each in asked] == [None, "2", "4"]
    assert all(each["namespace"] == "storage" and each["_request_timeout"] == 10 for each in asked)
    assert len({each["limit"] for each in asked}) == 1


def test_an_empty_list_has_nothing() -> None:
    body = b'{"metadata":{},"items":null}'
    assert list(listed_plainly(lambda **_options: SimpleNamespace(data=body))) == []
