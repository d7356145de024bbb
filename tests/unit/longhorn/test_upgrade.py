"""When the cluster is looked at before Longhorn goes into it, and when it is not needed at all."""

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from pulumi.output import Unknown

from components.longhorn import upgrade as longhorn_upgrade_check
from components.longhorn.upgrade import LonghornUpgradeProvider
from tests.unit.doubles.a_cluster import api_error
from tests.unit.doubles.a_stack import run, valid, waits_for

_STACK = "longhorn-rancher/production"
_PROPS = {"kubeconfig": "~/.kube/config", "context": None, "owner": _STACK}
_OLD = {**_PROPS, "version": "1.5.3"}
_NEW = {**_PROPS, "version": "1.6.4"}
_DEGRADED = [{"metadata": {"name": "pvc-1"}, "status": {"robustness": "degraded"}}]

Cluster = Callable[..., None]


class _Objects:
    """Longhorn's objects of a cluster, by plural; a kind that is not there is a 404."""

    def __init__(self, objects: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        self._objects = objects

    def list_cluster_custom_object(
        self, group: str, version: str, plural: str, **options: Any
    ) -> dict[str, Any]:
        assert (group, version) == ("longhorn.io", "v1beta2")
        if plural not in self._objects:
            raise api_error(404)
        assert plural != "settings" or options["field_selector"].endswith("=" + _SETTING)
        return {"items": self._objects[plural]}


_SETTING = "current-longhorn-version"


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """Says what the cluster answers; before it is called, asking is an error."""

    def unexpected(_props: Mapping[str, Any]) -> Any:
        pytest.fail("the cluster was asked although nothing changes")

    monkeypatch.setattr(longhorn_upgrade_check, "open_cluster", unexpected)

    def answers(
        installed: str | None = None,
        *,
        owner: str | None = _STACK,
        volumes: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        setting = {
            "metadata": {"name": _SETTING, "namespace": "longhorn-system"},
            "value": installed,
        }
        objects = {} if installed is None else {"settings": [setting], "volumes": volumes}
        annotations = None if owner is None else {"longhorn-rancher/stack": owner}
        namespace = SimpleNamespace(metadata=SimpleNamespace(annotations=annotations))
        version = SimpleNamespace(git_version="v1.28.4")
        api = SimpleNamespace(
            custom=_Objects(objects),
            core=SimpleNamespace(read_namespace=lambda _name, **_options: namespace),
            version=SimpleNamespace(get_code=lambda **_options: version),
        )
        monkeypatch.setattr(longhorn_upgrade_check, "open_cluster", lambda _props: api)

    return answers


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_props: Mapping[str, Any]) -> Any:
        raise ConnectionError("no route to host")

    monkeypatch.setattr(longhorn_upgrade_check, "open_cluster", refuse)


def _refusal(olds: dict[str, Any], news: dict[str, Any]) -> str | None:
    failures = LonghornUpgradeProvider().check(olds, news).failures
    return failures[0].reason if failures else None


def test_the_same_version_needs_no_cluster_and_is_no_change(cluster: Cluster) -> None:
    del cluster
    provider = LonghornUpgradeProvider()
    moved = {**_OLD, "kubeconfig": "/elsewhere", "context": "other"}
    assert _refusal(_OLD, moved) is None
    assert not provider.diff("id", _OLD, moved).changes


def test_another_version_is_a_change(cluster: Cluster) -> None:
    del cluster
    assert LonghornUpgradeProvider().diff("id", _OLD, _NEW).changes


def test_what_is_not_known_yet_is_not_judged(cluster: Cluster) -> None:
    del cluster
    assert _refusal({}, {**_NEW, "kubeconfig": Unknown()}) is None


def test_an_empty_cluster_takes_any_version(cluster: Cluster) -> None:
    cluster()
    assert _refusal({}, _NEW) is None
    assert LonghornUpgradeProvider().create(_NEW).outs == _NEW


def test_a_preview_refuses_an_upgrade_with_the_reason(cluster: Cluster) -> None:
    cluster("v1.5.3", volumes=_DEGRADED)
    refusal = str(_refusal(_OLD, _NEW))
    assert refusal.startswith("Longhorn was not touched")
    assert "pvc-1" in refusal


def test_an_upgrade_that_nothing_stands_in_the_way_of_is_let_through(cluster: Cluster) -> None:
    cluster("v1.5.3")
    assert _refusal(_OLD, _NEW) is None
    assert LonghornUpgradeProvider().update("id", _OLD, _NEW).outs == _NEW


def test_up_looks_again_since_the_preview_may_be_old(cluster: Cluster) -> None:
    cluster("v1.5.3", volumes=_DEGRADED)
    with pytest.raises(RuntimeError, match="pvc-1"):
        LonghornUpgradeProvider().update("id", _OLD, _NEW)


def test_what_the_cluster_runs_counts_and_not_what_the_state_says(cluster: Cluster) -> None:
    cluster("v1.5.3")
    assert _refusal(_NEW, _OLD) is None, "an upgrade that never began may be called off"
    cluster("v1.6.4")
    assert "can't go back" in str(_refusal(_NEW, _OLD))


@pytest.mark.parametrize("owner", [None, "longhorn-rancher/other"])
def test_a_longhorn_that_somebody_else_made_stops_the_first_installation(
    cluster: Cluster, owner: str | None
) -> None:
    cluster("v1.6.4", owner=owner)
    assert "this stack did not install it" in str(_refusal({}, _NEW))
    with pytest.raises(RuntimeError, match="this stack did not install it"):
        LonghornUpgradeProvider().create(_NEW)


def test_a_stack_whose_state_was_lost_takes_its_own_longhorn_back(cluster: Cluster) -> None:
    cluster("v1.6.4")
    assert _refusal({}, _NEW) is None


def test_the_namespace_bears_the_mark_that_is_looked_for() -> None:
    recording = run(valid())
    marks = recording.named("longhorn-namespace").inputs["metadata"]["annotations"]
    assert marks == {"longhorn-rancher/stack": recording.named("longhorn-upgrade").inputs["owner"]}


@pytest.mark.usefixtures("unreachable")
def test_a_preview_away_from_the_cluster_still_compares_the_versions() -> None:
    assert _refusal({}, _NEW) is None
    assert _refusal(_OLD, _NEW) is None
    assert "can't go back" in str(_refusal(_NEW, _OLD))


@pytest.mark.usefixtures("unreachable")
def test_up_away_from_the_cluster_ends_with_its_error() -> None:
    with pytest.raises(ConnectionError, match="no route to host"):
        LonghornUpgradeProvider().create(_NEW)


def test_the_release_waits_for_the_look_and_the_look_for_nothing() -> None:
    recording = run(valid())
    for later in ("longhorn-namespace", "longhorn-release"):
        assert waits_for(recording, later, "longhorn-upgrade")
    assert list(recording.named("longhorn-upgrade").request.dependencies) == []
