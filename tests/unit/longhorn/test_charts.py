"""The chart of every supported version knows every value that the program gives it."""

import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.longhorn.values import chart_values
from components.longhorn.versions import minor_of
from components.nodes.description import tolerated_taints
from configuration.longhorn import SUPPORTED_VERSIONS, LonghornSettings
from lab.longhorn import chart, played_chart

_EVERYTHING = LonghornSettings.model_validate(
    {
        "registry": "registry.example.com",
        "registrySecret": "registry",
        "defaultSettings": {
            "defaultDataLocality": "disabled",
            "replicaSoftAntiAffinity": False,
            "replicaAutoBalance": "disabled",
            "storageOverProvisioningPercentage": 100,
            "storageMinimalAvailablePercentage": 10,
            "nodeDownPodDeletionPolicy": "do-nothing",
            "guaranteedInstanceManagerCPU": 12,
            "concurrentReplicaRebuildPerNodeLimit": 5,
        },
    }
)


def _read(path: Path, name: str) -> dict[str, Any]:
    if path.is_dir():
        return yaml.safe_load((path / name).read_text())
    with tarfile.open(path) as archive:
        member = archive.extractfile(f"longhorn/{name}")
        assert member is not None
        return yaml.safe_load(member)


def _keys(values: Mapping[str, Any], above: str = "") -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _keys(value, f"{above}{key}.")
        else:
            yield above + key


@pytest.fixture(params=["its own", "played"])
def whose(request: pytest.FixtureRequest) -> str:
    """Longhorn's own chart, or the one that the lab plays it with."""
    return request.param


@pytest.fixture(params=SUPPORTED_VERSIONS)
def found(request: pytest.FixtureRequest, whose: str, tmp_path: Path) -> tuple[str, Path]:
    """A supported version and its chart."""
    if whose == "played":
        return request.param, played_chart.write(request.param, tmp_path)
    path = chart.real_file(request.param)
    if path is None:
        pytest.skip(f"no chart of Longhorn {request.param} in {chart.CACHE}")
    return request.param, path


def test_every_value_that_the_program_sets_is_one_of_the_chart(found: tuple[str, Path]) -> None:
    _, path = found
    known = set(_keys(_read(path, "values.yaml")))
    given = chart_values(
        _EVERYTHING, nodes_with_disks=3, tolerated=tolerated_taints((), "tolerate")
    )
    assert set(_keys(given)) <= known


def test_the_kubernetes_that_a_chart_wants_is_the_one_that_is_checked(
    found: tuple[str, Path],
) -> None:
    version, path = found
    description = _read(path, "Chart.yaml")
    major, minor = minor_of(version).minimum_kubernetes
    assert description["version"] == version
    assert description["kubeVersion"] == f">={major}.{minor}.0-0"
