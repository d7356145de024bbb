"""Which pods of a workload count as ready while a new version is rolled out."""

from types import SimpleNamespace
from typing import Any

import pytest

from components.longhorn.snapshot import ClusterView, Snapshot


def _container() -> Any:
    return SimpleNamespace(image="manager:v1.6.4", command=["longhorn-manager", "daemon"])


def _workload(generation: int, **status: Any) -> Any:
    pod = SimpleNamespace(spec=SimpleNamespace(containers=[_container()]))
    return SimpleNamespace(
        metadata=SimpleNamespace(name="longhorn-manager", generation=generation),
        spec=SimpleNamespace(template=pod, replicas=3),
        status=SimpleNamespace(**status),
    )


def _read(daemon_set: Any, deployment: Any) -> Snapshot:
    def listed(*items: Any) -> Any:
        return lambda *_words: SimpleNamespace(items=list(items))

    objects: dict[str, list[dict[str, Any]]] = {
        "settings": [{"metadata": {"name": "current-longhorn-version"}, "value": "v1.6.4"}],
        "nodes": [],
    }
    api: Any = SimpleNamespace(
        apps=SimpleNamespace(
            list_namespaced_daemon_set=listed(daemon_set),
            list_namespaced_deployment=listed(deployment),
        ),
        storage=SimpleNamespace(list_storage_class=listed(), list_csi_driver=listed()),
        custom=SimpleNamespace(
            list_namespaced_custom_object=lambda *words: {"items": objects[words[-1]]}
        ),
    )
    return ClusterView(api).read()


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
