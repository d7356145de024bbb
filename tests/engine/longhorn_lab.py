"""A lab for tests of what Longhorn holds: hosts, a cluster, and volumes that a test puts there."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from lab.cluster import kubernetes
from lab.cluster.kubernetes import ClusterHandle
from lab.common.progress import LabError
from lab.common.waiting import wait_until
from lab.hosts import hosts
from lab.hosts.hosts import HostHandle
from lab.longhorn import chart
from lab.stack import LabParts, stack_config
from tests.engine.kubectl import OnCluster

LONGHORN = "longhorn-system"
MEBIBYTE = 2**20
_SECONDS = 60.0


@dataclass(frozen=True)
class LonghornLab(OnCluster):
    """Hosts and a cluster with the same nodes."""

    hosts: list[HostHandle]
    cluster: ClusterHandle

    def config(self, **longhorn: Any) -> dict[str, Any]:
        """The shipped stack `lab` without Rancher; keys of its section longhorn laid over."""
        parts = LabParts(
            hosts=self.hosts,
            kubeconfig=self.cluster.kubeconfig,
            docker_host=None,
            chart=chart.local_chart(),
        )
        config = stack_config(parts)
        key = "longhorn-rancher:longhorn"
        config[key] = {**config[key], **longhorn}
        return config

    def apply(self, *manifests: dict[str, Any]) -> None:
        """Make or change these objects."""
        items = {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
        self.kubectl("apply", "-f", "-", text=json.dumps(items))

    def longhorn_node(self, name: str) -> dict[str, Any]:
        """One of nodes.longhorn.io."""
        return json.loads(
            self.kubectl("get", "nodes.longhorn.io", name, "-n", LONGHORN, "-o", "json")
        )

    def longhorn_disks(self, node_name: str) -> dict[str, dict[str, Any]]:
        """The disks of a node as Longhorn has them, by path."""
        return {
            disk["path"]: disk for disk in self.longhorn_node(node_name)["spec"]["disks"].values()
        }

    def claim(self, name: str) -> str:
        """Claim 10 MiB of the class `longhorn`; returns the volume's name once it is bound."""
        self.apply(
            {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "metadata": {"name": name, "namespace": "default"},
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "storageClassName": "longhorn",
                    "resources": {"requests": {"storage": "10Mi"}},
                },
            }
        )

        def bound() -> str | None:
            (claim,) = self.objects(
                "pvc", "-n", "default", f"--field-selector=metadata.name={name}"
            )
            volume = claim["spec"].get("volumeName")
            return volume if claim["status"]["phase"] == "Bound" and self.places(volume) else None

        return wait_until(bound, doing=f"claim {name} is bound", seconds=_SECONDS)

    def unclaim(self, name: str) -> None:
        """Delete a claim and wait until its volume is gone."""
        self.kubectl("delete", "pvc", name, "-n", "default")
        wait_until(
            lambda: not self.objects("volumes.longhorn.io", "-n", LONGHORN),
            doing=f"the volume of claim {name} is gone",
            seconds=_SECONDS,
        )

    def put_volume(self, name: str, node: str, path: str) -> None:
        """A volume of 10 MiB with its one replica on this disk."""
        item = self.longhorn_node(node)
        (uuid,) = (
            item["status"]["diskStatus"][disk]["diskUUID"]
            for disk, spec in item["spec"]["disks"].items()
            if spec["path"] == path
        )
        size = str(10 * MEBIBYTE)
        replica = {
            "volumeName": name,
            "volumeSize": size,
            "nodeID": node,
            "diskID": uuid,
            "diskPath": path,
            "healthyAt": "2024-01-01T00:00:00Z",
            "active": True,
        }
        # The replica first: a volume without one is given one anywhere.
        self.apply(_longhorn("Replica", f"{name}-r-0", replica))
        volume = {"size": size, "numberOfReplicas": 1, "frontend": "blockdev"}
        self.apply(_longhorn("Volume", name, volume))
        wait_until(
            lambda: self._is_counted(node, path),
            doing=f"Longhorn counts the replica on {path} of {node}",
            seconds=_SECONDS,
        )

    def drop_volume(self, name: str) -> None:
        """Delete a volume with its replicas."""
        self.kubectl("delete", "volumes.longhorn.io", name, "-n", LONGHORN)

    def places(self, volume: str) -> set[tuple[str, str]]:
        """Where the replicas of a volume are: node and path."""
        return {
            (replica["spec"]["nodeID"], replica["spec"]["diskPath"])
            for replica in self.objects("replicas.longhorn.io", "-n", LONGHORN)
            if replica["spec"]["volumeName"] == volume
        }

    def _is_counted(self, node: str, path: str) -> bool:
        item = self.longhorn_node(node)
        return any(
            item["status"]["diskStatus"][disk]["scheduledReplica"]
            for disk, spec in item["spec"]["disks"].items()
            if spec["path"] == path
        )


@contextmanager
def longhorn_lab(count: int, manager: str | None = None) -> Iterator[LonghornLab]:
    """Hosts and a cluster, taken down at the end.

    Args:
        count: How many hosts.
        manager: Who plays Longhorn's manager: `real` or `stand-in`; as LAB_LONGHORN says if not
            given.
    """
    with pytest.MonkeyPatch.context() as patch:
        if manager is not None:
            patch.setenv("LAB_LONGHORN", manager)
        try:
            started = hosts.up(count)
            yield LonghornLab(started, kubernetes.up([host.name for host in started]))
        except LabError as error:
            pytest.fail(str(error))
        finally:
            kubernetes.down()
            hosts.down()


def _longhorn(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "longhorn.io/v1beta2",
        "kind": kind,
        "metadata": {"name": name, "namespace": LONGHORN, "finalizers": ["longhorn.io"]},
        "spec": spec,
    }
