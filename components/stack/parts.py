"""What a stack has of Longhorn and of Rancher. Imports neither, which hosts alone do not need."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi

if TYPE_CHECKING:
    from components.longhorn.frontend import LonghornFrontend
    from components.longhorn.policies.policies import LonghornPolicies
    from components.longhorn.release import LonghornRelease
    from components.rancher.agent.agent import RancherAgent
    from components.rancher.registration.active import RancherClusterActive
    from components.rancher.registration.by_token import RancherTokenRegistration
    from components.rancher.registration.registration import RancherRegistration
    from components.rancher.server.server import RancherServer
    from components.volume_check.check import VolumeCheck


@dataclass(frozen=True, kw_only=True)
class LonghornParts:
    """What of Longhorn the stack has; None for a stage that is off."""

    release: "LonghornRelease | None" = None
    policies: "LonghornPolicies | None" = None
    frontend: "LonghornFrontend | None" = None
    check: "VolumeCheck | None" = None


@dataclass(frozen=True, kw_only=True)
class RancherParts:
    """What of Rancher the stack has; None for a stage that is off."""

    server: "RancherServer | None" = None
    registration: "RancherRegistration | RancherTokenRegistration | None" = None
    agent: "RancherAgent | None" = None
    admin_password: pulumi.Output[str] | None = None
    active: "RancherClusterActive | None" = None
