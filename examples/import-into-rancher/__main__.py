"""A program that has a cluster, and imports it into the Rancher that the company has already.

pulumi config set kubeconfig ~/.kube/shop.yaml
pulumi config set rancherUrl https://rancher.example.com
pulumi config set rancherCa < rancher-ca.pem    # not for a certificate of a public CA
pulumi config set --secret rancherToken         # an API key: Account & API Keys, No Scope
"""

import pulumi
import pulumi_kubernetes as kubernetes

from longhorn_rancher import RancherImport

config = pulumi.Config()
kubeconfig = config.require("kubeconfig")
cluster = kubernetes.Provider("cluster", kubeconfig=kubeconfig)
shop = kubernetes.core.v1.Namespace(
    "shop", metadata={"name": "shop"}, opts=pulumi.ResourceOptions(provider=cluster)
)

rancher = RancherImport(
    "rancher",
    cluster={"name": "shop", "kubeconfig": kubeconfig},
    url=config.require("rancherUrl"),
    ca_pem=config.get("rancherCa"),
    token=config.require_secret("rancherToken"),
    checks=config.get_object("checks"),
    # What is to be there before the company sees the cluster.
    opts=pulumi.ResourceOptions(depends_on=[shop]),
)

pulumi.export("clusterId", rancher.cluster_id)
pulumi.export("state", rancher.state)
