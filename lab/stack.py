"""The stack `lab` as Pulumi runs it: the shipped file with what this lab decided laid over.

A folder of its own under STATE holds it, because a running lab has keys and paths that no
committed file can know.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lab.common.paths import PROJECT
from lab.hosts.hosts import HostHandle
from lab.programs import own_python

NAME = "lab"
_SHIPPED = PROJECT / "stacks" / f"Pulumi.{NAME}.yaml"
_PREFIX = "longhorn-rancher:"


@dataclass(frozen=True, kw_only=True)
class LabParts:
    """What runs of the lab; None for what this machine can't provide."""

    hosts: Sequence[HostHandle]
    kubeconfig: Path | None
    docker_host: str | None
    chart: Path | None = None
    """A local chart, where the chart repository can't be reached."""


def stack_config(parts: LabParts) -> dict[str, Any]:
    """The whole configuration of the stack, by full key."""
    config: dict[str, Any] = dict(yaml.safe_load(_SHIPPED.read_text())["config"])
    for key, changes in _laid_over(parts).items():
        config[_PREFIX + key] = (
            {**config.get(_PREFIX + key, {}), **changes} if isinstance(changes, dict) else changes
        )
    return config


def write_project(folder: Path, config: Mapping[str, Any]) -> None:
    """Make the folder a Pulumi project that runs this program with this configuration.

    What Pulumi itself keeps in the stack file (the salt of the secrets) stays.
    """
    folder.mkdir(parents=True, exist_ok=True)
    project = yaml.safe_load((PROJECT / "Pulumi.yaml").read_text())
    project.pop("stackConfigDir")
    project["main"] = str(PROJECT)
    project["runtime"] = own_python.runtime()
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(project))
    stack_file = folder / f"Pulumi.{NAME}.yaml"
    kept = yaml.safe_load(stack_file.read_text()) if stack_file.exists() else {}
    stack_file.write_text(yaml.safe_dump({**kept, "config": dict(config)}))


def _laid_over(parts: LabParts) -> dict[str, Any]:
    changes: dict[str, Any] = {
        "ssh": {
            "user": parts.hosts[0].user,
            "privateKeyFile": str(parts.hosts[0].client_key_path),
        },
        "nodes": [
            {"name": host.name, "host": host.address, "hostKey": host.host_key}
            for host in parts.hosts
        ],
        "stages": _stages(parts),
    }
    if parts.kubeconfig is not None:
        changes["cluster"] = {"kubeconfig": str(parts.kubeconfig)}
    if parts.docker_host is not None:
        changes["rancher"] = {"dockerHost": parts.docker_host}
    if parts.chart is not None:
        changes["longhorn"] = {"chartPath": str(parts.chart)}
    return changes


def _stages(parts: LabParts) -> dict[str, bool]:
    has_cluster, has_docker = parts.kubeconfig is not None, parts.docker_host is not None
    return {
        "labels": has_cluster,
        "longhorn": has_cluster,
        "frontend": has_cluster,
        "volumeCheck": has_cluster,
        "rancher": has_docker,
        "rancherImport": has_cluster and has_docker,
    }
