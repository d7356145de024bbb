"""Settings as another program gives them: the sections of a stack file as arguments in Python.

The words within a section are those of docs/stack-file.md, so that there is one vocabulary and one
set of rules, and a section may as well come out of that program's own configuration.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any, cast

import pulumi
from pydantic.alias_generators import to_snake

from configuration.problems import Problem, known_keys
from configuration.secrets import Secret

_BEFORE = (
    "Hosts and cluster are read before any resource is made: give a value that the program has "
    "from the start, such as one of pulumi.Config."
)
OPENS_HOSTS = frozenset(
    {
        Secret.SSH_PRIVATE_KEY,
        Secret.SSH_PRIVATE_KEY_PASSPHRASE,
        Secret.SSH_PASSWORD,
        Secret.SUDO_PASSWORD,
    }
)
"""What is needed in plain text, to read the hosts."""


class GivenSource:
    """The arguments of one component, asked as a StackSource is.

    Args:
        name: What the mistakes are in, for the head of their message.
        sections: By the stack file's key; None for one that is not given.
        secrets: By the stack file's key; text, or an Output where no host is opened with it.
        names: What keys of the stack file are called among the arguments, where it is not the
            usual: the section's name in Python's way, and secrets.KEY.
    """

    def __init__(
        self,
        name: str,
        sections: Mapping[str, object],
        secrets: Mapping[str, pulumi.Input[str] | None],
        names: Mapping[str, str],
    ) -> None:
        self._names = names
        self._name = name
        self._sections = {key: value for key, value in sections.items() if value is not None}
        self._secrets = {key: value for key, value in secrets.items() if value is not None}

    def full(self, key: str) -> str:
        """A key as the argument is called."""
        for known, name in self._names.items():
            if key == known or key.startswith(f"{known}."):
                return f"{name}{key[len(known) :]}"
        head = key.partition(".")[0].partition("[")[0]
        return f"secrets.{key}" if key in set(Secret) else f"{to_snake(head)}{key[len(head) :]}"

    def unknown_keys(self, sections: Collection[str]) -> Iterator[Problem]:
        """Secrets that no component takes. Sections are parameters, which Python checks."""
        del sections
        for key in self._secrets:
            if key not in set(Secret):
                yield Problem(f"secrets.{key}", "is no secret", known_keys(key, list(Secret)))

    def section(self, key: str) -> tuple[Any, Problem | None]:
        """What is given there, as Pulumi would hand it over out of a stack file."""
        try:
            return _plain(self._sections.get(key), key), None
        except _OutputFoundError as found:
            where = self.full(str(found))
            return None, Problem(where, "is an Output, whose value is known only later", _BEFORE)

    def has(self, secret: Secret) -> bool:
        """Whether the secret is given."""
        return secret in self._secrets

    def secret_problem(self, secret: Secret) -> Problem | None:
        """An Output in the place of what opens the hosts."""
        if secret in OPENS_HOSTS and self.text(secret) is None:
            key = self.full(secret)
            return Problem(key, "is an Output, whose value is known only later", _BEFORE)
        return None

    def output(self, secret: Secret) -> pulumi.Output[str]:
        """The secret, for resources."""
        return pulumi.Output.secret(self._secrets[secret])

    def text(self, secret: Secret) -> str | None:
        """Its plain text; None for an Output."""
        value = self._secrets.get(secret)
        return value if isinstance(value, str) else None

    def located(self, problems: Sequence[Problem]) -> tuple[Sequence[Problem], str | None]:
        """The problems as they are: arguments have no lines."""
        return problems, self._name


class _OutputFoundError(Exception):
    """An Output among the arguments; the text is its key."""


def _plain(value: object, key: str) -> Any:
    """The value in lists and dictionaries of its own. Raises _OutputFoundError."""
    if isinstance(value, pulumi.Output):
        raise _OutputFoundError(key)
    if isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value).items()
        return {str(name): _plain(item, f"{key}.{name}") for name, item in items}
    if isinstance(value, list | tuple):
        items = cast("Sequence[object]", value)
        return [_plain(item, f"{key}[{number}]") for number, item in enumerate(items)]
    return str(value) if isinstance(value, PurePath) else value
