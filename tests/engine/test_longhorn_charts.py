"""The chart that the lab plays Longhorn's with, beside Longhorn's own.

Both are rendered by Helm as it is in Pulumi's kubernetes plugin, without a cluster.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from components.longhorn.values import chart_values
from components.nodes.description import tolerated_taints
from configuration.longhorn import SUPPORTED_VERSIONS, LonghornSettings
from lab.longhorn import chart, played_chart
from tests.engine.engine import Engine
from tests.engine.needs import marks

pytestmark = marks("kubernetes")

_SETTINGS = {
    "registry": "registry.example.com",
    "registryUser": "puller",
    "registrySecret": "registry",
    "reclaimPolicy": "Retain",
    "kubeletRootDir": "/data/kubelet",
    "defaultSettings": {
        "defaultDataLocality": "best-effort",
        "storageMinimalAvailablePercentage": 10,
        "guaranteedInstanceManagerCPU": 15,
    },
    "values": {
        "longhornManager": {"nodeSelector": {"storage": "yes"}},
        "longhornUI": {"replicas": 1},
        "csi": {"attacherReplicaCount": 2},
    },
}
# The real definitions know their objects, and the real role names what the managers do.
_OF_ITS_OWN = {"CustomResourceDefinition": "versions", "ClusterRole": "rules"}
_HOOK_GOES = "helm.sh/hook-delete-policy"

Objects = dict[tuple[str, str], dict[str, Any]]
"""By kind and name."""


def _values(version: str) -> dict[str, dict[str, Any]]:
    """What the program gives the chart: with next to nothing in the stack file, and with much."""
    tolerated = tolerated_taints((), "tolerate")
    settings = {"version": version, **_SETTINGS}
    return {
        "little": chart_values(LonghornSettings(), nodes_with_disks=3, tolerated=()),
        "much": chart_values(
            LonghornSettings.model_validate(settings),
            nodes_with_disks=2,
            tolerated=tolerated,
            registry_password="secret",  # noqa: S106
        ),
    }


def program(charts: Mapping[str, tuple[str, Mapping[str, Any]]]) -> None:
    """The objects that each chart renders to with its values."""
    for name, (path, values) in charts.items():
        options = {
            "path": str(Path(path).parent),
            "chart": Path(path).name,
            "release_name": "longhorn",
            "namespace": "longhorn-system",
            "kube_version": "1.28.0",
            "values": values,
        }
        answer: Any = pulumi.runtime.invoke(
            "kubernetes:helm:template", {"jsonOpts": json.dumps(options)}
        ).value
        pulumi.export(name, answer["result"])


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Objects]:
    """The objects of every chart that is here, by version, whose chart it is and which values."""
    folder = tmp_path_factory.mktemp("charts")
    charts: dict[str, tuple[str, dict[str, Any]]] = {}
    for version in SUPPORTED_VERSIONS:
        files = {"real": chart.real_file(version), "played": played_chart.write(version, folder)}
        for whose, path in files.items():
            for which, values in _values(version).items():
                if path is not None:
                    charts[f"{version} {whose} {which}"] = str(path), values
    stack = Engine(folder / "engine").stack("s", program=program, arguments={"charts": charts})
    stack.up().or_fail()
    return {name: _by_name(items) for name, items in stack.outputs().items()}


def _by_name(items: list[dict[str, Any]]) -> Objects:
    return {(item["kind"], item["metadata"]["name"]): _unpacked(item) for item in items if item}


def _unpacked(item: dict[str, Any]) -> dict[str, Any]:
    """An object, with what is packed into text unpacked."""
    if item["kind"] == "Secret":
        return {**item, "data": json.loads(base64.b64decode(item["data"][".dockerconfigjson"]))}
    if item["kind"] == "ConfigMap":
        return {**item, "data": {key: yaml.safe_load(text) for key, text in item["data"].items()}}
    if item["kind"] == "Job":
        annotations = item["metadata"]["annotations"]
        annotations[_HOOK_GOES] = sorted(annotations[_HOOK_GOES].split(","))
    if name := _OF_ITS_OWN.get(item["kind"]):
        return {**item, "spec": {**item.get("spec", {}), name: None}, name: None}
    return item


def _strays(said: Any, real: Any, path: str) -> Iterator[str]:
    """Where the played chart says something that the real one does not."""
    if isinstance(said, dict) and isinstance(real, dict):
        for key, value in said.items():
            yield from _strays(value, real.get(key), f"{path}.{key}")
    elif isinstance(said, list) and isinstance(real, list):
        if all(isinstance(item, str) for item in said):
            rest = iter(real)
            if not all(word in rest for word in said):
                yield f"{path}: {said}, but really {real}"
            return
        if not all("name" in item for item in said):
            yield from [] if said == real else [f"{path}: {said}, but really {real}"]
            return
        named = {item["name"]: item for item in real}
        for item in said:
            yield from _strays(item, named.get(item["name"]), f"{path}[{item['name']}]")
    elif said != real:
        yield f"{path}: {said}, but really {real}"


@pytest.mark.parametrize("which", ["little", "much"])
@pytest.mark.parametrize("version", SUPPORTED_VERSIONS)
def test_the_played_chart_says_nothing_that_the_real_one_does_not(
    version: str, which: str, rendered: dict[str, Objects]
) -> None:
    played = rendered[f"{version} played {which}"]
    real = rendered.get(f"{version} real {which}")
    if real is None:
        pytest.skip(f"no chart of Longhorn {version} in {chart.CACHE}")
    assert set(played) == set(real)
    assert not [
        stray
        for (kind, name), item in played.items()
        for stray in _strays(item, real[kind, name], f"{kind} {name}")
    ]


def test_what_the_stack_file_says_reaches_every_part(rendered: dict[str, Objects]) -> None:
    objects = rendered["1.6.4 played much"]
    assert objects["ConfigMap", "longhorn-default-setting"]["data"]["default-setting.yaml"] == {
        "create-default-disk-labeled-nodes": True,
        "default-data-locality": "best-effort",
        "default-replica-count": 2,
        "guaranteed-instance-manager-cpu": 15,
        "priority-class": "longhorn-critical",
        "storage-minimal-available-percentage": 10,
        "taint-toleration": objects["ConfigMap", "longhorn-default-setting"]["data"][
            "default-setting.yaml"
        ]["taint-toleration"],
    }
    for kind, name in (("DaemonSet", "longhorn-manager"), ("Job", "longhorn-uninstall")):
        pod = objects[kind, name]["spec"]["template"]["spec"]
        assert pod["nodeSelector"] == {"storage": "yes"}
        assert pod["imagePullSecrets"] == [{"name": "registry"}]
        assert pod["containers"][0]["image"].startswith("registry.example.com/longhornio/")
        assert pod["tolerations"]
