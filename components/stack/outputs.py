"""What a stack tells its user when it is done."""

from collections.abc import Mapping
from typing import Any

import pulumi

from components.nodes.node import LonghornNode
from components.stack.parts import LonghornParts, RancherParts

_LONGHORN_IN_RANCHER = (
    "/api/v1/namespaces/longhorn-system/services/http:longhorn-frontend:80/proxy/"
)


def stack_outputs(
    nodes: Mapping[str, LonghornNode], longhorn: LonghornParts, rancher: RancherParts
) -> dict[str, pulumi.Output[Any]]:
    """The stack's outputs by name; a stage that is off adds none."""
    outputs: dict[str, pulumi.Output[Any]] = {}
    disks = {
        name: [disk.mounted for disk in node.disks.values()]
        for name, node in nodes.items()
        if node.disks
    }
    if disks:
        outputs["disks"] = pulumi.Output.from_input(disks)
    if longhorn.release is not None:
        outputs["longhornVersion"] = longhorn.release.version
        outputs["defaultStorageClass"] = longhorn.release.default_storage_class
    if longhorn.frontend is not None:
        outputs["longhornUrl"] = longhorn.frontend.url
    if longhorn.check is not None:
        outputs["volumeCheck"] = pulumi.Output.all(
            storageClass=longhorn.check.bound_class,
            size=longhorn.check.bound_size,
            seconds=longhorn.check.seconds,
            restored=longhorn.check.restored,
        ).apply(lambda report: {key: each for key, each in report.items() if each is not None})
    if rancher.server is not None:
        outputs["rancherUrl"] = rancher.server.url
        outputs["rancherBootstrapPassword"] = rancher.server.bootstrap_password
    if rancher.admin_password is not None:
        outputs["rancherAdminPassword"] = rancher.admin_password
    if rancher.registration is not None and rancher.active is not None:
        outputs["rancherClusterId"] = rancher.registration.cluster_id
        outputs["rancherClusterState"] = rancher.active.state
        outputs["longhornUrlInRancher"] = pulumi.Output.concat(
            rancher.registration.server_url,
            "/k8s/clusters/",
            rancher.registration.cluster_id,
            _LONGHORN_IN_RANCHER,
        )
    return outputs
