"""The parts of a stack, as a person thinks of them, and which resource belongs to which. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from tools.up.steps import STACK, Step

_NODE = "longhornrancher:node:LonghornNode"
_PROVIDERS = "pulumi:providers:"
_TITLES = {
    "node:Scripts": "Scripts on the hosts",
    "node:ScriptsForRemoval": "Scripts on the hosts",
    "node:ControlPlaneHealth": "Control plane",
    "node:ControlPlaneUntaint": "Control plane",
    "node:K3sDefaultClass": "Control plane",
    "longhorn:Upgrade": "Longhorn",
    "longhorn:Release": "Longhorn",
    "longhorn:Policies": "Longhorn's policies",
    "longhorn:Monitoring": "Longhorn's monitoring",
    "longhorn:Frontend": "Longhorn's interface",
    "longhorn:VolumeCheck": "Volume check",
    "rancher:Server": "Rancher",
    "rancher:Ca": "Rancher",
    "rancher:Address": "Rancher",
    "rancher:GeneratedPassword": "Rancher",
    "rancher:Cleanup": "Import",
    "rancher:Registration": "Import",
    "rancher:TokenRegistration": "Import",
    "rancher:Manifest": "Import",
    "rancher:Agent": "Import",
    "rancher:ClusterActive": "Import",
    "longhorn:RemovalGuard": "Removal guard",
}
"""By the last two words of the type of what stands at the top; in the order of a preview."""
_OPEN = {_NODE, *(f"longhornrancher:{kind}" for kind in ("longhorn:Release", "rancher:Server"))}
_NOTED = {
    "longhorn:RemovalGuard",
    "longhorn:Upgrade",
    "node:ScriptsForRemoval",
    "rancher:Cleanup",
    "rancher:GeneratedPassword",
}
"""What is made in a moment, long before or after the rest of its part, and only noted there."""


@dataclass(frozen=True)
class Part:
    """A node, or one of the things that a stack builds on all of them."""

    title: str
    node: str = ""
    """The node's name; empty for what is no node."""


def rank(part: Part) -> int:
    """Sorts parts as a person thinks of them: nodes first, what has no title last."""
    order = ["", *dict.fromkeys(_TITLES.values()), part.title]
    return order.index("" if part.node else part.title)


class Parts:
    """Knows the part of each resource whose ancestors it was shown."""

    def __init__(self) -> None:
        """Know none."""
        self._steps: dict[str, Step] = {}

    def learn(self, steps: Iterable[Step]) -> None:
        """Take in who stands below whom."""
        self._steps.update((step.urn, step) for step in steps)

    def part_of(self, step: Step) -> Part | None:
        """The part; None for the stack itself and for providers."""
        top = self.line_of(step)[0]
        if top.type == STACK or top.type.startswith(_PROVIDERS):
            return None
        if top.type == _NODE:
            return Part(f"Node {top.name}", top.name)
        return Part(_TITLES.get(_kind(top), top.name))

    def is_noted(self, step: Step) -> bool:
        """Whether the step says nothing of how far its part is."""
        return step.word == "create" and _kind(self.line_of(step)[0]) in _NOTED

    def is_open(self, step: Step) -> bool:
        """Whether a person wants to know what the topmost resource above this one consists of."""
        return self.line_of(step)[0].type in _OPEN

    def line_of(self, step: Step) -> list[Step]:
        """The resource and all above it but the stack, the topmost first."""
        line = [step]
        while (above := self._steps.get(line[0].parent)) and above.type != STACK:
            line.insert(0, above)
        return line


def _kind(step: Step) -> str:
    return ":".join(step.type.replace("/", ":").split(":")[-2:])
