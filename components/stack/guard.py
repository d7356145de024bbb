"""The guard of the whole stack: what goes first when the stack goes."""

from collections.abc import Sequence

import pulumi

from components.longhorn.removal.guard import LonghornRemovalGuard
from components.stack.parts import LonghornParts, RancherParts
from configuration.settings import Settings


def declare_stack_guard(
    settings: Settings,
    longhorn: LonghornParts,
    rancher: RancherParts,
    others: Sequence[pulumi.Resource],
    parent: pulumi.Resource | None = None,
) -> None:
    """Refuse, while Longhorn holds volumes, before anything of the stack is removed.

    Longhorn's release has a guard of its own, which does not wait for Rancher; this one keeps the
    console, the interface and the volume check standing, too.

    Args:
        longhorn: What of Longhorn the stack has.
        rancher: What of Rancher the stack has.
        others: What else is to stay as long as Longhorn does.
        parent: What it is a part of; the stack itself if None.
    """
    if longhorn.release is None:
        return
    parts = (
        longhorn.release,
        longhorn.policies,
        longhorn.frontend,
        longhorn.check,
        rancher.server,
        rancher.registration,
        rancher.agent,
        rancher.active,
    )
    LonghornRemovalGuard(
        "removal-guard",
        cluster=settings.cluster,
        allow_uninstall=settings.longhorn.allow_uninstall,
        opts=pulumi.ResourceOptions(
            parent=parent,
            depends_on=[*(part for part in parts if part is not None), *others],
            replace_with=longhorn.release.guarded,
        ),
    )
