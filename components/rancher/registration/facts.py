"""What Rancher has for a registered cluster, and what it is to have."""

from components.common.dynamic import Properties
from components.rancher.agent.manifest import read_manifest, verify_manifest
from components.rancher.api.ca import ca_checksum
from components.rancher.api.client import RancherClient


def cluster_facts(rancher: RancherClient, cluster_id: str, props: Properties) -> Properties:
    """Id, registration token, manifest, CA checksum and Rancher's version.

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
        "ca_checksum": ca_checksum(ca_pem),
        "version": rancher.version(),
    }


def wanted_environment(props: Properties, olds: Properties) -> dict[str, str] | None:
    """What Rancher is to give the cluster's agents; None where it is not, and was not, this
    program's."""
    given = props.get("agent_environment")
    return {} if given is None and olds.get("agent_environment") else given
