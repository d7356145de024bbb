"""Which volumes keep Longhorn from being removed, and how they are listed."""

from typing import Any

import pytest

from components.longhorn.volumes import (
    HeldVolume,
    claim_text,
    held_volumes,
    read_volumes,
    size_text,
    state_text,
    volume_lines,
)
from tests.unit.doubles.a_cluster import ACluster, persistent_volume, volume


def test_a_volume_is_told_with_size_state_and_the_claim_of_its_persistent_volume() -> None:
    (held,) = held_volumes([volume("pvc-1")], [persistent_volume("pvc-1", "default/data")])
    assert str(held) == "pvc-1: 10 MiB, attached, healthy, claim default/data"


def test_a_volume_without_a_persistent_volume_has_the_claim_that_longhorn_noted() -> None:
    noted = volume("pvc-1")
    noted["status"]["kubernetesStatus"] = {"namespace": "default", "pvcName": "data"}
    assert held_volumes([noted], [])[0].claim == "default/data"
    assert held_volumes([volume("pvc-2")], [])[0].claim is None


def test_a_persistent_volume_alone_counts_too() -> None:
    (held,) = held_volumes([], [persistent_volume("pvc-1", "default/data")])
    assert str(held).startswith("pvc-1: size unknown, a PersistentVolume without a volume")


def test_a_persistent_volume_that_nobody_claims_or_deletes_counts_too() -> None:
    (held,) = held_volumes([], [persistent_volume("pvc-1")])
    assert str(held).endswith(", no claim")


def test_the_claim_that_longhorn_noted_counts_where_the_persistent_volume_has_none() -> None:
    noted = volume("pvc-1")
    noted["status"]["kubernetesStatus"] = {"namespace": "default", "pvcName": "data"}
    (held,) = held_volumes([noted], [persistent_volume("pvc-1")])
    assert held.claim == "default/data"


def test_a_volume_whose_size_longhorn_has_not_noted_counts_too() -> None:
    (held,) = held_volumes([{"metadata": {"name": "pvc-1"}}], [])
    assert str(held) == "pvc-1: 0 MiB, state unknown, no claim"


def test_what_is_being_deleted_does_not_count() -> None:
    going = volume("pvc-1", deletionTimestamp="2026-01-01T00:00:00Z")
    assert held_volumes([going], [persistent_volume("pvc-1", deleted="now")]) == []
    assert held_volumes([], [persistent_volume("pvc-1", deleted="now")]) == []


def test_a_deleted_persistent_volume_that_a_claim_still_uses_counts() -> None:
    assert held_volumes([], [persistent_volume("pvc-1", "default/data", deleted="now")])


def test_volumes_of_other_drivers_are_none_of_longhorns() -> None:
    cluster: Any = ACluster()
    cluster.persistent_volumes = [persistent_volume("nfs", "default/nfs", driver="nfs.csi.k8s.io")]
    in_tree = persistent_volume("local", "default/local")
    in_tree.spec.csi = None
    cluster.persistent_volumes.append(in_tree)
    assert read_volumes(cluster) == []


def test_without_longhorn_there_is_nothing_to_list() -> None:
    cluster: Any = ACluster()
    del cluster.objects["volumes"]
    cluster.persistent_volumes = [persistent_volume("pvc-1", "default/data")]
    assert read_volumes(cluster) is None


def test_a_long_list_is_cut_and_says_by_how_much() -> None:
    volumes = [
        HeldVolume(name=f"pvc-{number}", size_bytes=2**20, state="detached", claim=None)
        for number in range(25)
    ]
    lines = volume_lines(volumes).splitlines()
    assert len(lines) == 21
    assert lines[-2:] == ["  - pvc-19: 1 MiB, detached, no claim", "  - and 5 more"]
    assert volume_lines(volumes[:20]).splitlines() == lines[:20]


@pytest.mark.parametrize(
    ("size", "text"),
    [(10 * 2**20, "10 MiB"), (2**30, "1 GiB"), (3 * 2**29, "1.5 GiB"), (2**40, "1024 GiB")],
)
def test_sizes_are_told_in_the_unit_that_fits(size: int, text: str) -> None:
    assert size_text(size) == text


def test_a_volume_that_longhorn_knows_nothing_of_yet_can_be_told_too() -> None:
    assert state_text({"metadata": {"name": "new"}}) == "state unknown"
    assert state_text({"status": {"state": "detached", "robustness": "unknown"}}) == "detached"
    assert claim_text({"status": {"kubernetesStatus": {"pvcName": ""}}}) is None
