"""Longhorn's CSI driver, made again where somebody has taken parts of it away."""

from components.cluster.api import ClusterApi, unless_missing
from components.common.progress import tell
from components.longhorn.missing import CSI_DEPLOYMENTS, DEPLOYER, gone_parts, stopped_names
from components.longhorn.objects import NAMESPACE
from components.longhorn.snapshot import Snapshot


def make_driver_again(cluster: ClusterApi, snapshot: Snapshot) -> None:
    """Have Longhorn's own deployer start again, if anything of the driver is gone.

    Where it has just begun to, as in an upgrade, it begins once more. It makes what is not there,
    and leaves what is there as it is (longhorn-manager v1.5.3, csi/deployment_util.go, deploy): so
    a Deployment that was scaled to 0 goes first.
    """
    problems = gone_parts(snapshot)
    if not problems:
        return
    for name in stopped_names(snapshot, CSI_DEPLOYMENTS):
        unless_missing(cluster.apps.delete_namespaced_deployment, name, NAMESPACE)
    cluster.core.delete_collection_namespaced_pod(NAMESPACE, label_selector=f"app={DEPLOYER}")
    tell(f"{'; '.join(problems)}: {DEPLOYER} starts again and makes it")
