"""The keys under `cluster`."""

from pydantic import Field

from configuration.base import DnsLabel, StackModel


class ClusterSettings(StackModel):
    """The Kubernetes cluster that is already there."""

    name: DnsLabel
    """What the cluster is called; also its name in Rancher, where another one renames it."""
    kubeconfig: str = Field(default="~/.kube/config", min_length=1)
    """File with access to the cluster; ~ is your home directory."""
    context: str | None = Field(default=None, min_length=1)
    """Context in that file; the current one if not given."""
    nodes_file: str | None = None
    """File with the list of nodes, in place of `nodes`: for some hundred nodes and more, which the
    configuration that Pulumi hands over can't hold."""
