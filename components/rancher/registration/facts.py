"""The cluster's entry in Rancher, and what Rancher has for it."""

from components.common.dynamic import Properties
from components.rancher.agent.manifest import read_manifest, verify_manifest
from components.rancher.api.client import RancherClient
from components.rancher.api.clusters import Cluster


def cluster_facts(rancher: RancherClient, cluster_id: str, props: Properties) -> Properties:
    """Id, registration token, manifest and Rancher's version.

    Args:
        rancher: A conversation with a login.
        cluster_id: Rancher's identifier.
        props: ca_pem, server_url and ready_timeout_seconds.

    Raises CertificateMismatchError where the CA is not the one that agents are given,
    ManifestMismatchError where the manifest leads elsewhere.
    """
    ca_pem, server_url = str(props["ca_pem"]), str(props["server_url"])
    timeout = float(props["ready_timeout_seconds"])
    token = rancher.clusters.registration_token(cluster_id, timeout).value
    served = rancher.prove_ca(ca_pem, token)
    manifest = rancher.import_manifest(cluster_id, token)
    verify_manifest(read_manifest(manifest), server_url=server_url, ca_pem=served, token=token)
    return {
        "cluster_id": cluster_id,
        "registration_token": token,
        "manifest": manifest,
        "version": rancher.version(),
    }


def entered(rancher: RancherClient, props: Properties, olds: Properties) -> Cluster:
    """The cluster's entry in Rancher, found or made, with the environment of its agents.

    Args:
        rancher: A conversation with a login.
        props: cluster_name, owner and agent_environment.
        olds: The same of the last run, with its cluster_id; empty at the first.

    Raises ClusterNameTakenError, BadClusterNameError.
    """
    cluster = rancher.clusters.find_or_create(
        props["cluster_name"], props["owner"], olds.get("cluster_id", "")
    )
    environment: dict[str, str] | None = props.get("agent_environment")
    if environment is None and olds.get("agent_environment"):
        environment = {}
    # Without one, now and before, it is not this program's.
    if environment is not None and cluster.agent_environment != environment:
        rancher.clusters.set_agent_environment(cluster, environment)
    return cluster
