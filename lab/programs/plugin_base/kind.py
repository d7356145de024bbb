"""What a stand-in has to say of one kind of resource; the protocol around it is provider.py's."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from lab.programs.plugin_base.changes import Change
from lab.programs.plugin_base.values import Properties


class PluginError(Exception):
    """Why a call fails; the text is what Pulumi's engine shows."""


class HalfMadeError(PluginError):
    """A resource is there, but not as it should be: Pulumi's engine keeps it, and tries again."""

    def __init__(self, text: str, made: "Made") -> None:
        super().__init__(text)
        self.made = made


class Failure(NamedTuple):
    """Why an input can't be used."""

    path: str
    reason: str


class Made(NamedTuple):
    """A resource as it is after a call."""

    identifier: str
    state: Properties


class Found(NamedTuple):
    """A resource as it was read back."""

    identifier: str
    state: Properties
    inputs: Properties


@dataclass(frozen=True)
class Call:
    """What Pulumi's engine says besides the resource's own properties.

    Attributes:
        urn: the resource.
        preview: nothing may be done; what only `up` will know is UNKNOWN.
        timeout: seconds, 0 for none.
    """

    urn: str
    preview: bool = False
    timeout: float = 0

    @property
    def name(self) -> str:
        """The resource's name in the program."""
        return self.urn.split("::", 3)[3]


@dataclass(frozen=True)
class Difference:
    """What an update would change.

    Attributes:
        changes: by path, such as `environment.PATH` or `triggers[0]`.
        replacing: those of the paths for which the resource is made anew.
        old_goes_first: when it is made anew, the old one is deleted before.
    """

    changes: Mapping[str, Change] = field(default_factory=dict[str, Change])
    replacing: frozenset[str] = frozenset()
    old_goes_first: bool = False


class Kind(ABC):
    """One kind of resource. Every call but the pure ones raises PluginError."""

    token: str

    @abstractmethod
    def schema(self) -> dict[str, object]:
        """The resource in Pulumi's package schema."""

    @abstractmethod
    def check(self, given: Properties) -> tuple[Properties, list[Failure]]:
        """The inputs with defaults filled in, and what is wrong with them."""

    @abstractmethod
    def diff(self, old: Found, new: Properties, ignored: tuple[str, ...]) -> Difference:
        """What the new inputs change."""

    @abstractmethod
    async def create(self, call: Call, inputs: Properties) -> Made:
        """Make it."""

    @abstractmethod
    async def update(self, call: Call, old: Made, inputs: Properties) -> Properties:
        """Change it in place; its new state."""

    @abstractmethod
    async def read(self, call: Call, known: Found) -> Found | None:
        """It as it is now; None when it is gone."""

    @abstractmethod
    async def delete(self, call: Call, old: Made) -> None:
        """Take it away."""

    def cancel(self) -> None:  # noqa: B027 - most have nothing to stop
        """Pulumi's engine was interrupted."""
