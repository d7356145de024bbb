"""What an interrupted run leaves in Helm's records and on the Docker engine, and who removes it."""

import json
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from components.cluster.helm_records import forget_release, forget_unfinished
from components.docker import api as docker_api
from components.docker.leftovers import OwnContainer, remove_left_container
from tests.unit.doubles.a_stack import RELEASE, run, valid

SOCKET = "unix:///run/docker.sock"
OWN = OwnContainer(
    name="rancher", stack="project/stack", data="rancher-data", data_path="/var/lib/rancher"
)


class FakeCluster:
    """Helm's records of one release, by revision and status."""

    def __init__(self, **statuses: str) -> None:
        self.core = self
        self.records = {
            f"sh.helm.release.v1.longhorn.{key}": each for key, each in statuses.items()
        }

    def list_namespaced_secret(self, namespace: str, *, label_selector: str) -> Any:
        assert (namespace, label_selector) == ("longhorn-system", "owner=helm,name=longhorn")
        items = [
            SimpleNamespace(
                metadata=SimpleNamespace(
                    name=name, labels={"version": name.rpartition(".v")[2], "status": status}
                )
            )
            for name, status in self.records.items()
        ]
        return SimpleNamespace(items=items)

    def delete_namespaced_secret(self, name: str, namespace: str) -> None:
        assert namespace == "longhorn-system"
        del self.records[name]


def test_before_an_install_every_record_of_the_release_goes() -> None:
    cluster: Any = FakeCluster(v1="deployed", v2="pending-upgrade")
    told = forget_release(cluster, "longhorn-system", "longhorn")
    assert cluster.records == {}
    assert told == ["revision 1 (deployed)", "revision 2 (pending-upgrade)"]


@pytest.mark.parametrize("status", ["pending-install", "pending-upgrade", "pending-rollback"])
def test_before_an_upgrade_only_records_of_what_never_ended_go(status: str) -> None:
    cluster: Any = FakeCluster(v1="superseded", v2="deployed", v3=status, v4="failed")
    forget_unfinished(cluster, "longhorn-system", "longhorn")
    assert set(cluster.records.values()) == {"superseded", "deployed", "failed"}


def test_helm_is_cleared_before_the_release_is_installed_or_upgraded() -> None:
    (release,) = run(valid()).of_type(RELEASE)
    assert list(release.request.hooks.before_create) == ["longhorn-before-install"]
    assert list(release.request.hooks.before_update) == ["longhorn-before-upgrade"]


class FakeEngine:
    """A Docker engine with at most one container; remembers what it was asked to do."""

    def __init__(self, container: dict[str, Any] | None, *, refuses: bool = False) -> None:
        self.asked: list[str] = []
        self.filters: dict[str, list[str]] = {}
        self._containers = [] if container is None else [{"Id": "c0ffee", **container}]
        self._refuses = refuses

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url.path}")
        if request.url.path == "/containers/json":
            self.filters = json.loads(request.url.params["filters"])
            return httpx.Response(200, json=self._containers)
        return httpx.Response(500 if self._refuses else 204)


def _serve(monkeypatch: pytest.MonkeyPatch, engine: FakeEngine) -> None:
    monkeypatch.setattr(docker_api.httpx, "HTTPTransport", lambda **_: httpx.MockTransport(engine))


def _mount(name: str, path: str) -> dict[str, Any]:
    return {"Type": "volume", "Name": name, "Source": f"/volumes/{name}", "Destination": path}


LABELLED = {"Labels": {"longhorn-rancher/stack": "project/stack"}}


@pytest.mark.parametrize(
    "container",
    [
        LABELLED,
        {"Labels": {}, "Mounts": [_mount("rancher-data", "/var/lib/rancher")]},
        {"Mounts": [{"Source": "rancher-data", "Destination": "/var/lib/rancher"}]},
    ],
    ids=["made by this stack", "with its data", "with its data in a folder"],
)
def test_a_container_in_the_own_place_is_stopped_and_then_removed(
    monkeypatch: pytest.MonkeyPatch, container: dict[str, Any]
) -> None:
    engine = FakeEngine(container)
    _serve(monkeypatch, engine)
    assert remove_left_container(SOCKET, None, OWN)
    assert engine.filters == {"name": ["^/rancher$"]}
    assert engine.asked[1:] == ["POST /containers/c0ffee/stop", "DELETE /containers/c0ffee"]


@pytest.mark.parametrize(
    "container",
    [
        None,
        {"Labels": {"longhorn-rancher/stack": "project/other"}},
        {"Labels": {}, "Mounts": [_mount("other-data", "/var/lib/rancher")]},
        {"Labels": {}, "Mounts": [_mount("rancher-data", "/backup")]},
    ],
    ids=["none", "of another stack", "with other data", "that only looks at the data"],
)
def test_no_container_and_one_of_somebody_else_are_left_alone(
    monkeypatch: pytest.MonkeyPatch, container: dict[str, Any] | None
) -> None:
    engine = FakeEngine(container)
    _serve(monkeypatch, engine)
    assert not remove_left_container(SOCKET, None, OWN)
    assert engine.asked == ["GET /containers/json"]


def test_an_engine_that_refuses_is_told_with_the_command_that_does_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _serve(monkeypatch, FakeEngine(LABELLED, refuses=True))
    with pytest.raises(RuntimeError, match="docker rm --force rancher"):
        remove_left_container(SOCKET, None, OWN)


def test_the_container_carries_its_stack_and_is_cleared_for_before_it_is_made() -> None:
    (container,) = run(valid()).of_type("docker:index/container:Container")
    (label,) = container.inputs["labels"]
    assert label["label"] == "longhorn-rancher/stack"
    assert label["value"].endswith("/test")
    assert list(container.request.hooks.before_create) == ["rancher-clearance"]
