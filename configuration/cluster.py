"""The keys under `cluster`."""

from pathlib import Path

from pydantic import field_validator

from configuration.base import DnsLabel, StackModel
from configuration.problems import rule


class ClusterSettings(StackModel):
    """The Kubernetes cluster that is already there."""

    name: DnsLabel
    """What the cluster is called; also its name in Rancher, where another one renames it."""
    kubeconfig: str = "~/.kube/config"
    """File with access to the cluster; ~ is your home directory."""
    context: str | None = None
    """Context in that file; the current one if not given."""

    @field_validator("kubeconfig")
    @classmethod
    def _expands(cls, value: str) -> str:
        try:
            Path(value).expanduser()
        except RuntimeError:
            raise rule("names the home directory of an unknown user", "Write it out.") from None
        return value
