"""The Helm values of Longhorn."""

from typing import Any

import pytest

from components.longhorn.values import chart_values
from components.nodes.description import taint_toleration, tolerated_taints, tolerations
from configuration.longhorn import LonghornSettings

_CONTROL_PLANE = tolerated_taints((), "tolerate")


def _values(*, nodes: int = 3, tolerate: bool = False, **longhorn: Any) -> dict[str, Any]:
    settings = LonghornSettings.model_validate(longhorn)
    tolerated = tolerated_taints(settings.tolerations, "tolerate" if tolerate else "leave")
    return chart_values(settings, nodes_with_disks=nodes, tolerated=tolerated)


def test_longhorn_takes_only_the_disks_of_labelled_nodes() -> None:
    assert _values()["defaultSettings"]["createDefaultDiskLabeledNodes"] is True


@pytest.mark.parametrize("allowed", [True, False])
def test_the_confirmation_of_a_removal_is_none_of_helms_values(allowed: bool) -> None:
    settings = _values(allowUninstall=allowed)["defaultSettings"]
    assert "deletingConfirmationFlag" not in settings, "a changed value would be written again"


@pytest.mark.parametrize(("nodes", "replicas"), [(1, 1), (2, 2), (3, 3), (300, 3)])
def test_settings_and_class_have_the_same_number_of_replicas(nodes: int, replicas: int) -> None:
    values = _values(nodes=nodes)
    assert values["defaultSettings"]["defaultReplicaCount"] == replicas
    assert values["persistence"]["defaultClassReplicaCount"] == replicas


def test_the_class_is_as_the_stack_says() -> None:
    persistence = _values(defaultStorageClass=False, reclaimPolicy="Retain")["persistence"]
    assert persistence["defaultClass"] is False
    assert persistence["reclaimPolicy"] == "Retain"


def test_longhorns_own_service_stays_inside_the_cluster() -> None:
    assert _values()["service"]["ui"]["type"] == "ClusterIP"


def test_the_kubelets_folder_is_always_given_since_it_can_not_always_be_found() -> None:
    assert _values()["csi"]["kubeletRootDir"] == "/var/lib/kubelet"
    assert _values(kubeletRootDir="/srv/kubelet")["csi"]["kubeletRootDir"] == "/srv/kubelet"


def test_settings_of_longhorn_keep_longhorns_own_spelling() -> None:
    given = {"guaranteedInstanceManagerCPU": 20, "replicaAutoBalance": "best-effort"}
    settings = _values(defaultSettings=given)["defaultSettings"]
    assert given.items() <= settings.items()


def test_settings_that_are_not_given_are_left_to_longhorn() -> None:
    assert set(_values()["defaultSettings"]) == {
        "createDefaultDiskLabeledNodes",
        "defaultReplicaCount",
    }


def test_a_setting_of_false_or_zero_is_given() -> None:
    given = {"replicaSoftAntiAffinity": False, "storageMinimalAvailablePercentage": 0}
    assert given.items() <= _values(defaultSettings=given)["defaultSettings"].items()


def test_tolerating_reaches_the_charts_pods_and_those_that_longhorn_starts() -> None:
    given = [
        {"key": "CriticalAddonsOnly", "effect": "NoExecute"},
        {"key": "dedicated", "value": "storage"},
    ]
    values = _values(tolerate=True, tolerations=given)
    assert values["defaultSettings"]["taintToleration"].split(";") == [
        "node-role.kubernetes.io/control-plane:NoSchedule",
        "node-role.kubernetes.io/master:NoSchedule",
        "CriticalAddonsOnly:NoExecute",
        "dedicated=storage:NoSchedule",
    ]
    for part in ("longhornManager", "longhornDriver", "longhornUI"):
        assert values[part]["tolerations"][2:] == [
            {"key": "CriticalAddonsOnly", "operator": "Exists", "effect": "NoExecute"},
            {
                "key": "dedicated",
                "operator": "Equal",
                "value": "storage",
                "effect": "NoSchedule",
            },
        ], part


def test_without_tolerating_no_toleration_is_given() -> None:
    values = _values()
    assert "taintToleration" not in values["defaultSettings"]
    assert not {"longhornManager", "longhornDriver", "longhornUI"} & set(values)


def test_a_registry_of_ones_own_serves_every_image() -> None:
    values = _values(registry="registry.example.com:5000", registrySecret="pull")
    assert values["global"]["cattle"]["systemDefaultRegistry"] == "registry.example.com:5000"
    assert values["privateRegistry"]["registrySecret"] == "pull"


def test_free_values_are_merged_key_by_key_and_win() -> None:
    free = {
        "persistence": {"reclaimPolicy": "Retain", "migratable": True},
        "longhornUI": {"replicas": 1},
    }
    values = _values(values=free)
    assert values["persistence"]["reclaimPolicy"] == "Retain"
    assert values["persistence"]["migratable"] is True
    assert values["persistence"]["defaultClass"] is True
    assert values["longhornUI"] == {"replicas": 1}


@pytest.mark.parametrize(
    "free",
    [
        {"defaultSettings": None},
        {"persistence": None, "csi": None},
        {"service": {"ui": None}},
        {"persistence": {"defaultClass": None}},
        {"defaultSettings": {"createDefaultDiskLabeledNodes": None}},
    ],
    ids=str,
)
def test_nothing_over_what_is_decided_says_nothing(free: dict[str, Any]) -> None:
    assert _values(values=free) == _values()


def test_nothing_over_a_default_of_the_chart_takes_it_away_as_in_helm() -> None:
    values = _values(values={"longhornManager": {"priorityClass": None}})
    assert values["longhornManager"] == {"priorityClass": None}


def test_tolerations_of_the_stack_come_behind_the_programs() -> None:
    own = {"key": "a", "operator": "Exists"}
    twice = {"longhornManager": {"tolerations": [own, tolerations(_CONTROL_PLANE)[0]]}}
    values = _values(tolerate=True, values=twice)
    assert values["longhornManager"]["tolerations"] == [*tolerations(_CONTROL_PLANE), own]
    assert values["longhornUI"]["tolerations"] == tolerations(_CONTROL_PLANE)


def test_the_toleration_setting_is_joined_too() -> None:
    free = {"defaultSettings": {"taintToleration": "a=b:NoSchedule;"}}
    joined = _values(tolerate=True, values=free)["defaultSettings"]["taintToleration"]
    assert joined == f"{taint_toleration(_CONTROL_PLANE)};a=b:NoSchedule"
    alone = _values(values=free)["defaultSettings"]["taintToleration"]
    assert alone == "a=b:NoSchedule;"


@pytest.mark.parametrize(
    "given",
    [
        {"defaultSettings": {"defaultDataLocality": "best-effort"}},
        {"values": {"defaultSettings": {"defaultDataLocality": "best-effort"}}},
    ],
)
def test_data_locality_holds_for_the_class_that_people_use(given: dict[str, Any]) -> None:
    assert _values(**given)["persistence"]["defaultDataLocality"] == "best-effort"


def test_the_class_may_have_another_data_locality() -> None:
    free = {"persistence": {"defaultDataLocality": "disabled"}}
    settings = {"defaultDataLocality": "best-effort"}
    values = _values(defaultSettings=settings, values=free)
    assert values["persistence"]["defaultDataLocality"] == "disabled"
    assert values["defaultSettings"]["defaultDataLocality"] == "best-effort"


def test_a_registrys_password_makes_the_chart_write_the_pull_secret() -> None:
    settings = LonghornSettings.model_validate(
        {"registry": "registry.example.com", "registrySecret": "pull", "registryUser": "ops"}
    )
    values = chart_values(
        settings,
        nodes_with_disks=3,
        tolerated=(),
        registry_password="p",  # noqa: S106
    )
    assert values["privateRegistry"] == {
        "createSecret": True,
        "registrySecret": "pull",
        "registryUrl": "registry.example.com",
        "registryUser": "ops",
        "registryPasswd": "p",
    }


def test_the_settings_are_not_changed_by_computing_values() -> None:
    free = {"defaultSettings": {"logLevel": "Debug"}}
    _values(values=free, tolerate=True)
    assert free == {"defaultSettings": {"logLevel": "Debug"}}
