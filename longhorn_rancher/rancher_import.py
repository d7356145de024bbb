"""The import into a Rancher that is there already, as one component of another program."""

from collections.abc import Iterator
from typing import Any

import pulumi

from components.preflight.findings import read_findings
from components.stack.outputs import stack_outputs
from components.stack.whole import declare_stack
from configuration.problems import Problem
from configuration.settings import load_given
from longhorn_rancher.arguments import Checks, Cluster, RancherAgent
from longhorn_rancher.one_of_a_kind import refuse_another

_STAGES = ("packages", "disks", "labels", "longhorn", "frontend", "volumeCheck", "rancher")
_NAMES = {"rancherImport.url": "url", "rancherImport": "agent", "rancherToken": "token"}
_CERTIFICATE = "-----BEGIN CERTIFICATE-----"


class RancherImport(pulumi.ComponentResource):
    """Owns the cluster's entry in Rancher and Rancher's agent in it; done when it is active.

    Refuses to own anything else of that Rancher: no password, setting, user or token is changed.
    A cluster that another Rancher has is refused before anything is declared. At the end Rancher
    cleans up in the cluster, and what it leaves there is removed.
    """

    cluster_id: pulumi.Output[str]
    """Rancher's identifier of the cluster, such as c-49z7b."""
    state: pulumi.Output[str]
    """The cluster's state in Rancher: active, or what a refresh found."""

    def __init__(
        self,
        name: str,
        *,
        cluster: Cluster,
        url: str,
        token: pulumi.Input[str],
        ca_pem: pulumi.Input[str] | None = None,
        agent: RancherAgent | None = None,
        checks: Checks | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Look at the cluster, and declare everything.

        Args:
            name: The resource's name.
            cluster: The cluster that is imported; its name is its name in Rancher, too.
            url: Rancher's address as this machine reaches it, with https://. Known from the start,
                since the cluster is asked first whose agent it has.
            token: An API token (secret) of a user who may create clusters there.
            ca_pem: The CA that signed Rancher's certificate, in PEM; without it the one of a public
                CA that this machine trusts.
            agent: What Rancher's agent is given beside its manifest, and how long it may take.
            checks: What is accepted of what is found before anything is declared.
            opts: The resource's options. Its `depends_on` holds for all parts; its providers are
                not used, since the cluster is the one of `cluster`.

        Raises SettingsError with every mistake in the arguments, and pulumi.RunError with
        everything in the cluster that stands in the way.
        """
        refuse_another("RancherImport", name)
        settings = load_given(
            f'RancherImport "{name}"',
            {
                "cluster": cluster,
                "rancherImport": {**(agent or {}), "url": url},
                "checks": checks,
                "stages": {**dict.fromkeys(_STAGES, False), "rancherImport": True},
            },
            {"rancherToken": token},
            names=_NAMES,
            problems=list(_ca_problems(ca_pem)),
        )
        findings = read_findings(settings)
        super().__init__("longhornrancher:index:RancherImport", name, None, opts)
        parts = declare_stack(settings, findings, self, ca_pem)
        outputs = stack_outputs(parts.nodes, parts.longhorn, parts.rancher)
        self.cluster_id = outputs["rancherClusterId"]
        self.state = outputs["rancherClusterState"]
        self.register_outputs({"clusterId": self.cluster_id, "state": self.state})


def _ca_problems(ca_pem: Any) -> Iterator[Problem]:
    if isinstance(ca_pem, str) and _CERTIFICATE not in ca_pem:
        yield Problem(
            "ca_pem",
            "holds no certificate",
            f"Give the text of the file, which has a line {_CERTIFICATE}, and not its path.",
        )
