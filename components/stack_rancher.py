"""Rancher and the cluster's import, declared from a stack's settings."""

import pulumi

from components.rancher_server import RancherServer, RancherServerArgs
from settings import Settings


def declare_rancher(
    settings: Settings, engine: pulumi.ProviderResource | None
) -> RancherServer | None:
    """The server, if the stack runs one."""
    if engine is None or settings.rancher is None:
        return None
    return RancherServer(
        "rancher",
        RancherServerArgs(
            rancher=settings.rancher,
            bootstrap_password=settings.secret("rancherBootstrapPassword"),
        ),
        pulumi.ResourceOptions(providers=[engine]),
    )
