"""The only reader of settings, out of the stack file or out of another program's arguments.

It turns them into frozen, checked settings and reports every mistake at once (SettingsError).
Secrets never pass through a model's fields: they stay Outputs, fetched by name from `Settings`
where they are used.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import pulumi
from pydantic import PrivateAttr

from configuration.certificates import certificate_problems
from configuration.files import FILE_RULES, text_of
from configuration.given_source import GivenSource
from configuration.htpasswd import htpasswd_problems
from configuration.nodes_file import nodes_file_of, places_in_nodes_file, read_nodes_file
from configuration.partial import found_by, read
from configuration.problems import Problem, SettingsError
from configuration.rancher_rules import PASSWORDS, password_problems
from configuration.rules import RULES
from configuration.secrets import Secret
from configuration.ssh_key import ssh_key_problems
from configuration.stack_file import SECTIONS, Sections, StackFile
from configuration.stack_source import NAMESPACE, StackSecrets, StackSource

__all__ = ["NAMESPACE", "Settings", "load", "load_given"]
_Secrets = StackSecrets | GivenSource


class _ToldError(SettingsError, pulumi.RunError):
    """Pulumi shows the message of such an error alone, without a call stack."""


class Settings(StackFile):
    """Everything that a stack file says, checked; defaults filled in."""

    _secrets: _Secrets = PrivateAttr(default_factory=StackSecrets)

    @classmethod
    def read_from(
        cls, sections: Mapping[str, object], secrets: frozenset[Secret], source: _Secrets
    ) -> Self:
        """The settings with these sections (see StackFile.of).

        Args:
            sections: By field name.
            secrets: Which are set.
            source: Where they are.
        """
        made = cls.of(sections, secrets)
        made._secrets = source
        return made

    def secret(self, secret: Secret) -> pulumi.Output[str] | None:
        """The secret, None if the stack has none."""
        return self._secrets.output(secret) if self.has(Secret(secret)) else None

    def plain_secret(self, secret: Secret) -> str | None:
        """The secret's plain text, for reading the hosts before any resource is declared.

        Whoever calls this keeps it out of resources, messages and logs.
        """
        return self._secrets.text(secret) if self.has(Secret(secret)) else None


def load(stack_file: Path | None = None) -> Settings:
    """Read and check the configuration of the current stack. Raises SettingsError.

    Args:
        stack_file: Where a mistake's line is looked for; the stack's own file if not given.
    """
    return _Reader(StackSource(stack_file)).settings()


def load_given(
    name: str,
    sections: Mapping[str, object],
    secrets: Mapping[str, pulumi.Input[str] | None],
    *,
    names: Mapping[str, str] | None = None,
    problems: Sequence[Problem] = (),
) -> Settings:
    """Check what another program gives. Raises SettingsError.

    Args:
        name: What the mistakes are in, for the head of their message.
        sections: By the stack file's key; None for one that is not given.
        secrets: By the stack file's key.
        names: What keys of the stack file are called among the arguments (see GivenSource).
        problems: What was found in other arguments, to be reported with the rest.
    """
    return _Reader(GivenSource(name, sections, secrets, names or {}), problems).settings()


class _Reader:
    def __init__(self, source: StackSource | GivenSource, problems: Sequence[Problem] = ()) -> None:
        self._source = source
        self._problems = list(problems)
        self._nodes_file: str | None = None
        """The file that the nodes were read from."""

    def settings(self) -> Settings:
        file = self._file()
        self._problems.extend(self._source.unknown_keys(SECTIONS))
        self._report(found_by([*RULES, *FILE_RULES], file))
        checks = [self._certificate, self._ssh_key, self._rancher_passwords]
        self._problems.extend(found_by(checks, file))
        if file.has(Secret.FRONTEND_BASIC_AUTH):
            self._problems.extend(found_by([self._htpasswd], file))
        if self._problems:
            problems, name = self._located()
            raise _ToldError(problems, name)
        return file

    def _file(self) -> Settings:
        """What the file says, without the fields that have a mistake."""
        unreadable: set[str] = set()
        said: dict[str, Any] = {}
        for key in SECTIONS:
            value, problem = self._source.section(key)
            if problem is not None:
                self._problems.append(problem)
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
        return Settings.read_from(values, secrets, self._source)

    def _nodes_from_file(self, said: dict[str, Any]) -> set[str]:
        """Add the nodes of the file that is named, if one is; the sections that can't be read."""
        path = nodes_file_of(said)
        if path is None:
            return set()
        if not isinstance(path, str):
            return {"nodes"}  # the mistake is reported where the section is read
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
        """Keep problems whose keys are not yet as the source names them."""
        self._problems.extend(
            dataclasses.replace(p, key=self._source.full(p.key)) for p in problems
        )

    def _located(self) -> tuple[Sequence[Problem], str | None]:
        """The problems as the source tells of them; those of the nodes' file with lines there."""
        problems = self._problems
        if self._nodes_file is not None:
            problems = list(self._with_lines_of_nodes(problems, self._nodes_file))
        return self._source.located(problems)

    def _with_lines_of_nodes(self, problems: Iterable[Problem], path: str) -> Iterator[Problem]:
        places = places_in_nodes_file(path, self._source.full("nodes"))
        for problem in problems:
            line = places.line(problem.key)
            yield problem if line is None else dataclasses.replace(problem, line=line, file=path)

    def _has_secret(self, secret: Secret) -> bool:
        if not self._source.has(secret):
            return False
        problem = self._source.secret_problem(secret)
        if problem is not None:
            self._problems.append(problem)
        return True

    def _certificate(self, file: StackFile) -> Iterable[Problem]:
        secret = Secret.RANCHER_CERTIFICATE_KEY
        key = self._source.text(secret) if file.has(secret) else None
        return certificate_problems(file.rancher, key=key, prefix=self._source.full(""))

    def _ssh_key(self, file: StackFile) -> Iterable[Problem]:
        secret, path = Secret.SSH_PRIVATE_KEY, file.ssh.private_key_file
        key = self._source.full(secret)
        text = self._source.text(secret) if file.has(secret) else None
        if text is None and path is not None:
            key, text = self._source.full("ssh.privateKeyFile"), text_of(path)
        if text is None:
            return ()
        passphrase = self._source.text(Secret.SSH_PRIVATE_KEY_PASSPHRASE)
        given = None if file.has(secret) else path
        return ssh_key_problems(text, passphrase, key, path=given)

    def _rancher_passwords(self, file: StackFile) -> Iterable[Problem]:
        for secret in filter(file.has, PASSWORDS):
            text = self._source.text(secret)
            if text is not None:
                yield from password_problems(secret, text, self._source.full(secret))

    def _htpasswd(self, file: StackFile) -> Iterable[Problem]:
        text = self._source.text(Secret.FRONTEND_BASIC_AUTH)
        if text is None:
            return ()
        return htpasswd_problems(
            text,
            self._source.full(Secret.FRONTEND_BASIC_AUTH),
            for_traefik=file.frontend.type == "Ingress" and file.frontend.controller == "traefik",
        )
