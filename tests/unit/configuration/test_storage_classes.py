"""StorageClasses of a stack file: what is accepted, what refused."""

from typing import Any

import pytest

from tests.unit.doubles.a_stack import mistake, mistakes, nodes, valid, with_secrets

_FAST: dict[str, Any] = {"name": "fast", "replicas": 2}
_DISK = {"device": "/dev/sdb", "mountPoint": "/mnt/b", "tags": ["ssd"]}


def _with(*classes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return valid(longhorn={"storageClasses": [*classes], **more})


@pytest.mark.parametrize("name", ["longhorn", "longhorn-static"])
def test_longhorns_own_classes_are_refused(name: str) -> None:
    assert "makes itself" in mistake(_with({**_FAST, "name": name})).rule


def test_two_classes_of_one_name_are_refused() -> None:
    assert len(mistakes(_with(_FAST, _FAST))) == 2


@pytest.mark.parametrize(("replicas", "count"), [(1, 0), (2, 1), (None, 1)])
def test_strict_local_is_for_one_replica(replicas: int | None, count: int) -> None:
    each: dict[str, Any] = {"name": "local", "dataLocality": "strict-local"}
    if replicas is not None:
        each["replicas"] = replicas
    assert len(mistakes(_with(each))) == count


@pytest.mark.parametrize(("count", "mistaken"), [(1, 0), ("1", 0), (2, 1)])
def test_the_chart_s_value_is_the_count_of_a_class_that_says_none(
    count: object, mistaken: int
) -> None:
    values = {"persistence": {"defaultClassReplicaCount": count}}
    each = {"name": "local", "dataLocality": "strict-local"}
    assert len(mistakes(valid(longhorn={"values": values, "storageClasses": [each]}))) == mistaken


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"diskTags": ["sdd"]}, "diskTags"),
        ({"nodeTags": ["fats"]}, "nodeTags"),
    ],
)
def test_a_tag_that_nothing_has_is_refused_with_the_one_that_was_meant(
    changes: dict[str, Any], key: str
) -> None:
    config = _with({**_FAST, **changes})
    config["nodes"] = nodes({"tags": ["fast"], "disks": [_DISK]})
    problem = mistake(config)
    assert problem.key == f"longhorn-rancher:longhorn.storageClasses[0].{key}"
    assert problem.remedy in ("Did you mean ssd?", "Did you mean fast?")


def test_tags_are_not_judged_where_somebody_else_gives_longhorn_its_disks() -> None:
    config = _with({**_FAST, "diskTags": ["ssd"], "nodeTags": ["fast"]})
    config["nodes"] = []
    config["stages"] = {"packages": False, "disks": False, "labels": False}
    assert mistakes(config) == []


def test_tags_that_disks_and_nodes_have_are_accepted() -> None:
    config = _with({**_FAST, "diskTags": ["ssd"], "nodeTags": ["fast"]})
    config["nodes"] = nodes({"tags": ["fast"], "disks": [_DISK]})
    assert mistakes(config) == []


@pytest.mark.parametrize("key", ["diskTags", "nodeTags"])
def test_a_tag_that_only_a_lost_node_has_is_refused(key: str) -> None:
    config = _with({**_FAST, key: ["old"]})
    gone = {"lost": True, "tags": ["old"], "disks": [{**_DISK, "tags": ["old"]}]}
    config["nodes"] = nodes({}, gone)
    assert mistake(config).key == f"longhorn-rancher:longhorn.storageClasses[0].{key}"


@pytest.mark.parametrize("key", ["recurringJobs", "recurringJobGroups"])
def test_a_job_or_group_that_is_not_there_is_refused(key: str) -> None:
    jobs = [{"name": "nightly", "task": "snapshot", "cron": "@daily", "groups": ["gold"]}]
    wrong = mistake(_with({**_FAST, key: ["other"]}, recurringJobs=jobs))
    assert wrong.key.endswith(key)
    right = "nightly" if key == "recurringJobs" else "gold"
    assert mistakes(_with({**_FAST, key: [right]}, recurringJobs=jobs)) == []


def test_an_encrypted_class_needs_a_key() -> None:
    config = _with({**_FAST, "encrypted": True})
    assert mistake(config).key == "longhorn-rancher:longhornEncryptionKey"
    assert mistakes(with_secrets(config, longhornEncryptionKey="words")) == []
