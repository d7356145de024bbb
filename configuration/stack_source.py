"""The stack file as Pulumi hands it over: its sections, its secrets, and the lines of mistakes."""

import dataclasses
import json
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env

from configuration.places import ENCRYPTED, places_in
from configuration.problems import Problem, known_keys
from configuration.secrets import Secret

NAMESPACE = "longhorn-rancher"
_PROJECT = Path(__file__).parent.parent


@dataclasses.dataclass(frozen=True)
class StackSecrets:
    """The secrets of the current stack."""

    def output(self, secret: Secret) -> pulumi.Output[str]:
        """The secret, for resources."""
        return pulumi.Config(NAMESPACE).require_secret(secret)

    def text(self, secret: Secret) -> str | None:
        """Its plain text."""
        return pulumi.Config(NAMESPACE).get(secret)


class StackSource(StackSecrets):
    """The configuration of the current stack; all that the reader of the settings asks.

    Args:
        stack_file: Where a mistake's line is looked for; the stack's own file if not given.
    """

    def __init__(self, stack_file: Path | None = None) -> None:
        usual = _PROJECT / "stacks" / f"Pulumi.{pulumi.get_stack()}.yaml"
        self._stack_file = stack_file or usual
        self._config = pulumi.Config(NAMESPACE)

    def full(self, key: str) -> str:
        """A key with the project's name in front."""
        return f"{NAMESPACE}:{key}"

    def unknown_keys(self, sections: Collection[str]) -> Iterator[Problem]:
        """Keys of the project's own that no stack file has."""
        known = {*sections, *Secret}
        for full_key in {**get_config_env(), **CONFIG.get()}:
            namespace, _, key = full_key.partition(":")
            if namespace == NAMESPACE and key not in known:
                yield Problem(full_key, "is not a key of the stack file", known_keys(key, known))

    def section(self, key: str) -> tuple[Any, Problem | None]:
        """What the file says there."""
        full_key = self.full(key)
        if pulumi.runtime.is_config_secret(full_key):
            return None, Problem(
                full_key,
                "holds an encrypted value, which would be shown in plain text here",
                f"Put secrets under their own keys: {', '.join(Secret)}.",
            )
        try:
            return self._config.get_object(key), None
        except pulumi.ConfigTypeError:
            problem = Problem(full_key, "must be a map or a list", "Write it as nested YAML.")
            return None, problem

    def has(self, secret: Secret) -> bool:
        """Whether the secret is set."""
        return self._config.get_secret(secret) is not None

    def secret_problem(self, secret: Secret) -> Problem | None:
        """A secret in plain text."""
        full_key = self.full(secret)
        if pulumi.runtime.is_config_secret(full_key):
            return None
        return Problem(
            full_key,
            "is a secret and is written into the stack file in plain text",
            f"Remove the line, change the secret, and set it with "
            f"`pulumi config set --secret {full_key}`.",
        )

    def located(self, problems: Sequence[Problem]) -> tuple[Sequence[Problem], str | None]:
        """The problems in the order of the file, each with its line, and the file's name."""
        places = places_in(self._stack_file, NAMESPACE)
        found = [
            dataclasses.replace(problem, line=places.line(problem.key))
            if problem.line is None and places.says(key, self._given(key))
            else problem
            for problem in problems
            for key in [problem.key.partition(".")[0].partition("[")[0]]
        ]
        if all(problem.line is None for problem in found):
            return found, None
        inside = self._stack_file.is_relative_to(_PROJECT)
        name = self._stack_file.relative_to(_PROJECT) if inside else self._stack_file
        # Last what is not there at all.
        order = sorted(found, key=lambda one: (one.line is None, one.file or "", one.line))
        return order, str(name)

    def _given(self, full_key: str) -> Any:
        """What the program was given; ENCRYPTED for what the file holds encrypted."""
        if pulumi.runtime.is_config_secret(full_key):
            return ENCRYPTED
        text = pulumi.Config(full_key.partition(":")[0]).get(full_key.partition(":")[2])
        try:
            return json.loads(text or "")
        except ValueError:
            return text
