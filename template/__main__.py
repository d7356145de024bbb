"""Disks and Longhorn for a Kubernetes cluster that is there already."""

import pulumi

try:
    from longhorn_rancher import LonghornStorage
except ModuleNotFoundError as missing:
    if missing.name != "longhorn_rancher":
        raise
    raise pulumi.RunError(
        "longhorn_rancher is not installed. Write into requirements.txt where it comes from, and "
        "run `pulumi install`."
    ) from None

config = pulumi.Config()
storage = LonghornStorage(
    "storage",
    cluster={
        "name": config.require("clusterName"),
        "kubeconfig": config.require("kubeconfig"),
        "nodesFile": "nodes.yaml",
    },
    ssh={"user": config.require("sshUser"), "privateKeyFile": config.require("sshPrivateKeyFile")},
    # What every node has that lists no disks of its own: blank disks, which are formatted.
    node_defaults={"disks": [{"device": "/dev/sdb", "mountPoint": "/mnt/longhorn-sdb"}]},
    longhorn=config.get_object("longhorn"),
    # Volumes are made, written to and read back.
    volume_check={},
    checks=config.get_object("checks"),
)

pulumi.export("disks", storage.disks)
pulumi.export("longhornVersion", storage.version)
pulumi.export("defaultStorageClass", storage.default_storage_class)
