"""Where settings come from: the stack file, or the arguments that another program gives."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Protocol

import pulumi

from configuration.problems import Problem
from configuration.secrets import Secret


class SecretSource(Protocol):
    """What has the secrets; asked only for those that are set."""

    def output(self, secret: Secret) -> pulumi.Output[str]:
        """The secret, for resources."""
        ...

    def text(self, secret: Secret) -> str | None:
        """Its plain text; None where the program does not know it yet."""
        ...


class Source(SecretSource, Protocol):
    """Everything that the reader of the settings asks (configuration/settings.py)."""

    def full(self, key: str) -> str:
        """A key as messages name it."""
        ...

    def unknown_keys(self, sections: Collection[str]) -> Iterator[Problem]:
        """What is given and is neither a section nor a secret."""
        ...

    def section(self, key: str) -> tuple[Any, Problem | None]:
        """What is said in a section, None if nothing, and what keeps it from being read."""
        ...

    def has(self, secret: Secret) -> bool:
        """Whether the secret is set."""
        ...

    def secret_problem(self, secret: Secret) -> Problem | None:
        """What is wrong with how a secret that is set was given."""
        ...

    def located(self, problems: Sequence[Problem]) -> tuple[Sequence[Problem], str | None]:
        """The problems in the order in which a person looks for them, and what they are in."""
        ...
