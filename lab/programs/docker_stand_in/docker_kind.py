"""What the stand-in's kinds of resource have in common: their attributes decide what changes."""

from typing import ClassVar

from lab.programs.docker_stand_in import attributes
from lab.programs.docker_stand_in.attributes import Attributes
from lab.programs.docker_stand_in.engine import Engine
from lab.programs.plugin_base.kind import Difference, Failure, Found, Kind
from lab.programs.plugin_base.values import Properties


class DockerKind(Kind):
    """One kind of resource on one Docker engine."""

    inputs: ClassVar[Attributes]
    """What a program may say of it."""
    outputs: ClassVar[Attributes]
    """What only the Docker engine says of it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def schema(self) -> dict[str, object]:
        return attributes.schema(self.inputs, self.outputs)

    def check(self, given: Properties) -> tuple[Properties, list[Failure]]:
        return attributes.check(given, self.inputs)

    def diff(self, old: Found, new: Properties, ignored: tuple[str, ...]) -> Difference:
        return attributes.diff(old.state, new, self.inputs, ignored)
