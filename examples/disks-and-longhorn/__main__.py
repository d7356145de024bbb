"""A program that has a cluster and puts a shop on it, and now disks and Longhorn beneath the shop.

pulumi config set kubeconfig ~/.kube/shop.yaml
pulumi config set --secret sshPrivateKey < ~/.ssh/id_ed25519
pulumi config set --path nodes[0].name worker-1    # and host, hostKey; one for each node
"""

import pulumi
import pulumi_kubernetes as kubernetes

from longhorn_rancher import LonghornStorage

config = pulumi.Config()
kubeconfig = config.require("kubeconfig")
cluster = kubernetes.Provider("cluster", kubeconfig=kubeconfig)

# First, so that nothing of the program is made where hosts or cluster stand in the way.
storage = LonghornStorage(
    "storage",
    cluster={"name": "shop", "kubeconfig": kubeconfig},
    ssh={"user": config.get("sshUser") or "root"},
    nodes=config.require_object("nodes"),
    node_defaults={"disks": [{"device": "/dev/sdb", "mountPoint": "/mnt/longhorn-sdb"}]},
    longhorn=config.get_object("longhorn"),
    checks=config.get_object("checks"),
    # Text and no Output: the hosts are read before any resource is made. In the state it is secret.
    secrets={"sshPrivateKey": config.require("sshPrivateKey")},
)

shop = kubernetes.core.v1.Namespace(
    "shop", metadata={"name": "shop"}, opts=pulumi.ResourceOptions(provider=cluster)
)
kubernetes.core.v1.PersistentVolumeClaim(
    "orders",
    metadata={"name": "orders", "namespace": shop.metadata["name"]},
    spec={
        "access_modes": ["ReadWriteOnce"],
        "storage_class_name": "longhorn",
        "resources": {"requests": {"storage": "10Mi"}},
    },
    # After all of Longhorn, and deleted before any of it.
    opts=pulumi.ResourceOptions(provider=cluster, depends_on=[storage]),
)

pulumi.export("disks", storage.disks)
pulumi.export("longhornVersion", storage.version)
