"""Claims of Longhorn's classes get volumes of the size that Longhorn would give."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.common import claims

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("asked", "given_mib"),
    [(1 * MIB, 10), (10 * MIB, 10), (10 * MIB + 1, 12), (11 * MIB, 12), (1024 * MIB, 1024)],
)
def test_a_size_is_rounded_as_longhorn_rounds_it(asked: int, given_mib: int) -> None:
    assert claims.rounded(asked) == given_mib * MIB


@given(st.integers(min_value=0, max_value=2**50))
def test_nobody_gets_less_than_was_asked_for_or_two_mebibytes_more(asked: int) -> None:
    size = claims.rounded(asked)
    assert size >= asked
    assert size % (2 * MIB) == 0
    assert size == 10 * MIB or size - asked < 2 * MIB


def test_a_volume_belongs_to_its_claim_from_the_start() -> None:
    claim = SimpleNamespace(
        metadata=SimpleNamespace(name="data", namespace="shop", uid="1-2-3"),
        spec=SimpleNamespace(
            access_modes=["ReadWriteMany"],
            volume_mode=None,
            resources=SimpleNamespace(requests={"storage": "1Mi"}),
        ),
    )
    storage_class = SimpleNamespace(
        metadata=SimpleNamespace(name="longhorn"),
        parameters={"numberOfReplicas": "3"},
        reclaim_policy="Retain",
        mount_options=None,
    )
    spec = claims.volume_for(claim, storage_class)["spec"]
    assert spec["claimRef"]["uid"] == "1-2-3"
    assert spec["capacity"] == {"storage": "10Mi"}
    assert spec["accessModes"] == ["ReadWriteMany"]
    assert spec["persistentVolumeReclaimPolicy"] == "Retain"
    assert spec["csi"]["driver"] == "driver.longhorn.io"
