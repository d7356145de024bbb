"""The keys under `cluster`."""

from configuration.base import DnsLabel, StackModel


class ClusterSettings(StackModel):
    """The Kubernetes cluster that is already there."""

    name: DnsLabel
    """What the cluster is called; also its name in Rancher, where another one renames it."""
    kubeconfig: str = "~/.kube/config"
    """File with access to the cluster; ~ is your home directory."""
    context: str | None = None
    """Context in that file; the current one if not given."""
    nodes_file: str | None = None
    """File with the list of nodes, in place of `nodes`: for some hundred nodes and more, which the
    configuration that Pulumi hands over can't hold."""
