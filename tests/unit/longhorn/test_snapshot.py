"""What is read of Longhorn, and which pods count as ready while a new version is rolled out."""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from components.longhorn.snapshot import Snapshot, read_snapshot
from tests.unit.doubles.a_cluster import api_error


def _container() -> Any:
    return SimpleNamespace(image="manager:v1.6.4", command=["longhorn-manager", "daemon"])


def _workload(generation: int, **status: Any) -> Any:
    pod = SimpleNamespace(spec=SimpleNamespace(containers=[_container()]))
    return SimpleNamespace(
        metadata=SimpleNamespace(name="longhorn-manager", generation=generation),
        spec=SimpleNamespace(template=pod, replicas=3),
        status=SimpleNamespace(**status),
    )


def _named(name: str, annotations: dict[str, str] | None = None) -> Any:
    metadata = SimpleNamespace(name=name, annotations=annotations)
    return SimpleNamespace(metadata=metadata, provisioner="ebs.csi.aws.com")


def _read(
    daemon_set: Any,
    deployment: Any,
    *,
    classes: Sequence[Any] = (),
    drivers: Sequence[Any] = (),
    objects: Mapping[str, list[dict[str, Any]]] | None = None,
) -> Snapshot:
    def listed(*items: Any) -> Any:
        return lambda *_words: SimpleNamespace(items=list(items))

    def custom(*words: str, **_page: Any) -> Any:
        if words[-1] not in found:
            raise api_error(404)
        return {"items": found[words[-1]]}

    version = {"metadata": {"name": "current-longhorn-version"}, "value": "v1.6.4"}
    found = {"settings": [version], "nodes": []} if objects is None else objects
    api: Any = SimpleNamespace(
        apps=SimpleNamespace(
            list_namespaced_daemon_set=listed(daemon_set),
            list_namespaced_deployment=listed(deployment),
        ),
        storage=SimpleNamespace(
            list_storage_class=listed(*classes), list_csi_driver=listed(*drivers)
        ),
        custom=SimpleNamespace(list_namespaced_custom_object=custom),
    )
    return read_snapshot(api)


@pytest.mark.parametrize(
    ("generation", "observed", "updated", "counted"),
    [(2, 2, 3, 3), (2, 2, 1, 1), (2, 2, None, 0), (2, 1, 3, 0), (1, None, 3, 0)],
)
def test_only_pods_of_the_present_template_count_once_the_controller_has_seen_it(
    generation: int, observed: int | None, updated: int | None, counted: int
) -> None:
    daemon_set = _workload(
        generation,
        observed_generation=observed,
        desired_number_scheduled=3,
        number_ready=3,
        updated_number_scheduled=updated,
    )
    deployment = _workload(
        generation, observed_generation=observed, ready_replicas=3, updated_replicas=updated
    )
    snapshot = _read(daemon_set, deployment)
    assert [each.ready for each in snapshot.daemon_sets] == [counted]
    assert [each.ready for each in snapshot.deployments] == [counted]
    assert [each.wanted for each in snapshot.daemon_sets] == [3]


def test_the_version_images_and_arguments_are_read() -> None:
    item = _workload(
        1,
        observed_generation=1,
        desired_number_scheduled=1,
        number_ready=1,
        updated_number_scheduled=1,
        ready_replicas=1,
        updated_replicas=1,
    )
    snapshot = _read(item, item)
    assert snapshot.version == "v1.6.4"
    assert snapshot.daemon_sets[0].images == ["manager:v1.6.4"]
    assert snapshot.daemon_sets[0].arguments == ["longhorn-manager", "daemon"]


def _new() -> Any:
    """A workload that its controller has not looked at: every number is absent."""
    return _workload(
        1,
        observed_generation=1,
        desired_number_scheduled=None,
        number_ready=None,
        updated_number_scheduled=1,
        ready_replicas=None,
        updated_replicas=1,
    )


def test_a_number_that_a_workload_does_not_say_is_zero() -> None:
    snapshot = _read(_new(), _new())
    assert [(each.wanted, each.ready) for each in snapshot.daemon_sets] == [(0, 0)]
    assert [(each.wanted, each.ready) for each in snapshot.deployments] == [(3, 0)]


@pytest.mark.parametrize("objects", [{}, {"settings": [], "nodes": []}])
def test_before_longhorn_says_anything_it_has_no_version_and_no_node(
    objects: dict[str, list[dict[str, Any]]],
) -> None:
    snapshot = _read(_new(), _new(), objects=objects)
    assert (snapshot.version, snapshot.nodes) == (None, {})


def test_nodes_are_found_by_their_names() -> None:
    node = {"metadata": {"name": "node-1"}, "spec": {}}
    assert _read(_new(), _new(), objects={"nodes": [node]}).nodes == {"node-1": node}


@pytest.mark.parametrize(
    ("drivers", "is_there"),
    [([], False), (["nfs.csi.k8s.io"], False), (["nfs.csi.k8s.io", "driver.longhorn.io"], True)],
)
def test_only_longhorns_own_driver_counts(drivers: list[str], is_there: bool) -> None:
    found = _read(_new(), _new(), drivers=[_named(name) for name in drivers])
    assert found.has_driver is is_there


def test_a_class_is_a_default_by_either_annotation_and_only_if_that_is_true() -> None:
    stable, beta = (f"storageclass.{kind}kubernetes.io/is-default-class" for kind in ("", "beta."))
    classes = [
        _named("old", {beta: "true"}),
        _named("longhorn", {stable: "true"}),
        _named("no-longer", {stable: "false", beta: "false"}),
        _named("plain", None),
    ]
    snapshot = _read(_new(), _new(), classes=classes)
    assert snapshot.storage_classes == ["old", "longhorn", "no-longer", "plain"]
    assert snapshot.default_classes == ["longhorn", "old"]
