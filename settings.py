"""The only reader of the stack's configuration.

It turns the stack file into frozen, checked settings and reports every mistake at once
(SettingsError). Secrets never pass through a model: they stay Outputs, fetched by name from
`Settings` where they are used.
"""

import dataclasses
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env

from configuration.certificates import certificate_problems
from configuration.files import FILE_RULES, text_of
from configuration.htpasswd import htpasswd_problems
from configuration.nodes_file import nodes_file_of, places_in_nodes_file, read_nodes_file
from configuration.partial import found_by, read
from configuration.places import ENCRYPTED, places_in
from configuration.problems import Problem, SettingsError, known_keys
from configuration.rules import RULES
from configuration.secrets import Secret
from configuration.ssh_key import ssh_key_problems
from configuration.stack_file import SECTIONS, Sections, StackFile

NAMESPACE = "longhorn-rancher"
_PROJECT = Path(__file__).parent


class _ToldError(SettingsError, pulumi.RunError):
    """Pulumi shows the message of such an error alone, without a call stack."""


class Settings(StackFile):
    """Everything that a stack file says, checked; defaults filled in."""

    def secret(self, secret: Secret) -> pulumi.Output[str] | None:
        """The secret, None if the stack has none."""
        if not self.has(Secret(secret)):
            return None
        return pulumi.Config(NAMESPACE).require_secret(secret)

    def plain_secret(self, secret: Secret) -> str | None:
        """The secret's plain text, for reading the hosts before any resource is declared.

        Whoever calls this keeps it out of resources, messages and logs.
        """
        return pulumi.Config(NAMESPACE).require(secret) if self.has(Secret(secret)) else None


def load(stack_file: Path | None = None) -> Settings:
    """Read and check the configuration of the current stack. Raises SettingsError.

    Args:
        stack_file: Where a mistake's line is looked for; the stack's own file if not given.
    """
    usual = _PROJECT / "stacks" / f"Pulumi.{pulumi.get_stack()}.yaml"
    return _Reader(pulumi.Config(NAMESPACE), stack_file or usual).settings()


class _Reader:
    def __init__(self, config: pulumi.Config, stack_file: Path) -> None:
        self._config = config
        self._stack_file = stack_file
        self._problems: list[Problem] = []
        self._nodes_file: str | None = None
        """The file that the nodes were read from."""

    def settings(self) -> Settings:
        file = self._file()
        self._refuse_unknown_keys()
        self._report(found_by([*RULES, *FILE_RULES], file))
        self._problems.extend(found_by([self._certificate, self._ssh_key], file))
        if file.has(Secret.FRONTEND_BASIC_AUTH):
            self._problems.extend(found_by([self._htpasswd], file))
        if self._problems:
            problems, name = self._with_lines()
            raise _ToldError(problems, name)
        return file

    def _file(self) -> Settings:
        """What the file says, without the fields that have a mistake."""
        unreadable: set[str] = set()
        said: dict[str, Any] = {}
        for key in SECTIONS:
            before = len(self._problems)
            value = self._object(key)
            if len(self._problems) > before:
                unreadable.add(key)
            elif value is not None:
                said[key] = value
        unreadable |= self._nodes_from_file(said)
        sections, problems = read(said, Sections, "")
        self._report(p for p in problems if p.key not in unreadable)
        fields = {field.alias: name for name, field in Sections.model_fields.items()}
        lost = {fields[key] for key in unreadable}
        values = {name: v for name, v in sections.__dict__.items() if name not in lost}
        secrets = frozenset(secret for secret in Secret if self._has_secret(secret))
        return Settings.of(values, secrets)

    def _nodes_from_file(self, said: dict[str, Any]) -> set[str]:
        """Add the nodes of the file that is named, if one is; the sections that can't be read."""
        path = nodes_file_of(said)
        if path is None:
            return set()
        if not isinstance(path, str):
            return {"nodes"}  # the mistake is told where the section is read
        if said.get("nodes"):
            problem = Problem(
                "nodes",
                "stands beside cluster.nodesFile",
                "List all nodes in one place: move these into the file, or leave the file out.",
            )
            self._report([problem])
            return {"nodes"}
        said["nodes"], problems = read_nodes_file(path)
        self._report(problems)
        if problems:
            return {"nodes"}
        self._nodes_file = path
        return set()

    def _report(self, problems: Iterable[Problem]) -> None:
        """Keep problems whose keys lack the project's name in front."""
        self._problems.extend(dataclasses.replace(p, key=_full(p.key)) for p in problems)

    def _with_lines(self) -> tuple[Sequence[Problem], str | None]:
        """The problems in the order of the file, each with its line, and the file's name."""
        places = places_in(self._stack_file, NAMESPACE)
        problems = [
            dataclasses.replace(problem, line=places.line(problem.key))
            if places.says(key, self._given(key))
            else problem
            for problem in self._problems
            for key in [problem.key.partition(".")[0].partition("[")[0]]
        ]
        if self._nodes_file is not None:
            problems = list(self._with_lines_of_nodes(problems, self._nodes_file))
        if all(problem.line is None for problem in problems):
            return problems, None
        inside = self._stack_file.is_relative_to(_PROJECT)
        name = self._stack_file.relative_to(_PROJECT) if inside else self._stack_file
        # Last what is not there at all.
        order = sorted(problems, key=lambda one: (one.line is None, one.file or "", one.line))
        return order, str(name)

    def _with_lines_of_nodes(self, problems: Iterable[Problem], path: str) -> Iterator[Problem]:
        places = places_in_nodes_file(path, _full("nodes"))
        for problem in problems:
            line = places.line(problem.key)
            yield problem if line is None else dataclasses.replace(problem, line=line, file=path)

    def _given(self, full_key: str) -> Any:
        """What the program was given; ENCRYPTED for what the file holds encrypted."""
        if pulumi.runtime.is_config_secret(full_key):
            return ENCRYPTED
        text = pulumi.Config(full_key.partition(":")[0]).get(full_key.partition(":")[2])
        try:
            return json.loads(text or "")
        except ValueError:
            return text

    def _object(self, key: str) -> Any:
        if pulumi.runtime.is_config_secret(_full(key)):
            self._problems.append(
                Problem(
                    _full(key),
                    "holds an encrypted value, which would be shown in plain text here",
                    f"Put secrets under their own keys: {', '.join(Secret)}.",
                )
            )
            return None
        try:
            return self._config.get_object(key)
        except pulumi.ConfigTypeError:
            self._problems.append(
                Problem(_full(key), "must be a map or a list", "Write it as nested YAML.")
            )
            return None

    def _has_secret(self, secret: Secret) -> bool:
        if self._config.get_secret(secret) is None:
            return False
        if not pulumi.runtime.is_config_secret(_full(secret)):
            self._problems.append(
                Problem(
                    _full(secret),
                    "is a secret and is written into the stack file in plain text",
                    f"Remove the line, change the secret, and set it with "
                    f"`pulumi config set --secret {_full(secret)}`.",
                )
            )
        return True

    def _refuse_unknown_keys(self) -> None:
        known = {*SECTIONS, *Secret}
        for full_key in {**get_config_env(), **CONFIG.get()}:
            namespace, _, key = full_key.partition(":")
            if namespace == NAMESPACE and key not in known:
                self._problems.append(
                    Problem(full_key, "is not a key of the stack file", known_keys(key, known))
                )

    def _certificate(self, file: StackFile) -> Iterable[Problem]:
        secret = Secret.RANCHER_CERTIFICATE_KEY
        key = self._config.get(secret) if file.has(secret) else None
        return certificate_problems(file.rancher, key=key, prefix=_full(""))

    def _ssh_key(self, file: StackFile) -> Iterable[Problem]:
        secret, path = Secret.SSH_PRIVATE_KEY, file.ssh.private_key_file
        key, text = _full(secret), self._config.get(secret) if file.has(secret) else None
        if text is None and path is not None:
            key, text = _full("ssh.privateKeyFile"), text_of(path)
        if text is None:
            return ()
        passphrase = self._config.get(Secret.SSH_PRIVATE_KEY_PASSPHRASE)
        given = None if file.has(secret) else path
        return ssh_key_problems(text, passphrase, key, path=given)

    def _htpasswd(self, file: StackFile) -> Iterable[Problem]:
        text = self._config.get(Secret.FRONTEND_BASIC_AUTH) or ""
        return htpasswd_problems(
            text,
            _full(Secret.FRONTEND_BASIC_AUTH),
            for_traefik=file.frontend.type == "Ingress" and file.frontend.controller == "traefik",
        )


def _full(key: str) -> str:
    return f"{NAMESPACE}:{key}"
