"""Rancher's side of its agent's redeploy: when it is due, what is applied, who is connected.

As in Rancher 2.8.5 (pkg/controllers/management/clusterdeploy and clusterconnected): the agent of
the import manifest opens a tunnel and no more. Through it Rancher applies its own Deployment, with
CATTLE_FEATURES and with the token of a second registration, and again when the cluster's
agentEnvVars change, or the agent that runs has another image than goes with Rancher's version: it
looks at the Deployment itself, so that one which is newer than restored data is renewed, too. Only
an agent with features serves what `Connected` asks for, and Rancher looks for it only every now and
then. Not played: taints, agent settings and customization as reasons for a redeploy.
"""

import secrets
from typing import Any

from . import manifest
from .state import Cluster

FORCE = "io.cattle.agent.force.deploy"
"""Annotation on a cluster: `true` has Rancher deploy its agent again, and becomes `false`."""
FEATURES = (
    "embedded-cluster-api=false,fleet=false,monitoringv1=false,multi-cluster-management=false,"
    "multi-cluster-management-agent=true,provisioningv2=false,rke2=false"
)


def hear(cluster: Cluster, said: dict[str, Any], *, now: float, image: str) -> None:
    """The agent spoke. One that says nothing of itself counts as deployed by Rancher."""
    if not said:
        cluster.agent_deployed, cluster.agent_image = True, image
        cluster.applied_environment = cluster.agent_environment
    cluster.last_word = now
    cluster.agent_object = said.get("deployment") or _rolled_out(image)
    if said.get("features", FEATURES):
        cluster.connected_since = cluster.connected_since or now
        cluster.features_lost = None
    elif cluster.connected_since is not None and cluster.features_lost is None:
        cluster.features_lost = now


def _rolled_out(image: str) -> dict[str, Any]:
    """The Deployment of an agent that says nothing of itself."""
    container = {"image": image, "env": [{"name": "CATTLE_FEATURES", "value": FEATURES}]}
    pods = {"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}
    return {
        "metadata": {"generation": 1},
        "spec": {"replicas": 1, "template": {"spec": {"containers": [container]}}},
        "status": {"observedGeneration": 1, **pods},
    }


def is_due(cluster: Cluster, image: str) -> bool:
    """Whether Rancher would deploy its agent again."""
    is_forced = cluster.annotations.get(FORCE) == "true"
    is_other_environment = cluster.applied_environment != cluster.agent_environment
    is_other_image = {cluster.agent_image, _running_image(cluster)} != {image}
    is_other = is_other_environment or is_other_image
    return not cluster.agent_deployed or is_forced or is_other


def _running_image(cluster: Cluster) -> str:
    (container,) = cluster.agent_object["spec"]["template"]["spec"]["containers"]
    return str(container["image"])


def text(
    cluster: Cluster,
    *,
    server_url: str,
    ca_pem: str,
    version: str,
    install_uuid: str,
    registry: str = "",
) -> str:
    """What is applied: the import manifest with features and the second registration's token."""
    cluster.system_token = cluster.system_token or secrets.token_hex(27)
    cluster.rendered_environment = cluster.agent_environment
    return manifest.render(
        server_url=server_url,
        token=cluster.system_token,
        ca_pem=ca_pem,
        checksum="",
        version=version,
        install_uuid=install_uuid,
        registry=registry,
        features=FEATURES,
        environment=cluster.agent_environment,
    )


def done(cluster: Cluster, image: str) -> None:
    """The agent was deployed."""
    cluster.agent_deployed, cluster.agent_image = True, image
    cluster.applied_environment = cluster.rendered_environment
    if FORCE in cluster.annotations:
        cluster.annotations[FORCE] = "false"


def answers_now(cluster: Cluster, *, now: float, silence_seconds: float) -> bool:
    """Whether the agent itself answers what is asked through Rancher."""
    return (
        cluster.connected_since is not None
        and cluster.features_lost is None
        and cluster.last_word is not None
        and now - cluster.last_word <= silence_seconds
    )
