"""One stack of Pulumi's engine for tests, and the operations on it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import yaml

from lab.common.paths import PROJECT
from lab.programs.toolchain import binary
from tests.engine.outcome import Outcome
from tests.engine.running import Running, operation_environment

_OPERATION_SECONDS = 300.0
_NEEDS_NO_PROGRAM = {"refresh", "destroy"}


@cache
def pulumi_cli() -> Path:
    """The CLI that the tests run; made if this machine has none."""
    return binary("pulumi")


class Cli(Protocol):
    """The CLI of one engine, as a stack needs it."""

    environment: dict[str, str]
    python: str
    backend: Path

    def pulumi(self, *words: str, cwd: Path, text: str = "") -> str:
        """Run the CLI and give back what it printed."""
        ...


class Stack:
    """One stack and the program that describes it.

    Attributes:
        arguments: what an inline program is called with; may be changed between operations.
        work_dir: the folder that holds its Pulumi.yaml.
    """

    def __init__(
        self,
        engine: Cli,
        name: str,
        project: str,
        work_dir: Path,
        stack_file: Path,
        program: Callable[..., None] | None,
        arguments: Mapping[str, object],
        *,
        is_hosted: bool = True,
    ) -> None:
        """Take over the folder.

        Args:
            is_hosted: whether the tests' own Python runs the program; else Pulumi's language host
                does, in the environment that Pulumi.yaml names.
        """
        self._is_hosted = is_hosted
        self._engine = engine
        self._name = name
        self._project = project
        self._stack_file = stack_file
        self._function = _function_name(program)
        self._operations = 0
        self.work_dir = work_dir
        self.arguments = arguments

    @property
    def names(self) -> tuple[str, str]:
        """Of its project, and its own."""
        return self._project, self._name

    @property
    def backend(self) -> Path:
        """The folder of its engine's backend."""
        return self._engine.backend

    @property
    def salt(self) -> str:
        """What its secrets are encrypted with, beside the passphrase."""
        return str(_read(self._stack_file)["encryptionsalt"])

    @salt.setter
    def salt(self, salt: str) -> None:
        document = {**_read(self._stack_file), "encryptionsalt": salt}
        self._stack_file.write_text(yaml.safe_dump(document))

    @property
    def environment(self) -> dict[str, str]:
        """Of every process that its engine starts; may be changed between operations."""
        return self._engine.environment

    def up(self, *flags: str, seconds: float = _OPERATION_SECONDS) -> Outcome:
        """Bring the stack to what the program says."""
        return self.start("up", *flags, seconds=seconds).wait()

    def preview(self, *flags: str, seconds: float = _OPERATION_SECONDS) -> Outcome:
        """What `up` would do."""
        return self.start("preview", *flags, seconds=seconds).wait()

    def refresh(self, *flags: str, seconds: float = _OPERATION_SECONDS) -> Outcome:
        """Read every resource into the state."""
        return self.start("refresh", *flags, seconds=seconds).wait()

    def destroy(self, *flags: str, seconds: float = _OPERATION_SECONDS) -> Outcome:
        """Delete every resource."""
        return self.start("destroy", *flags, seconds=seconds).wait()

    def start(self, operation: str, *flags: str, seconds: float = _OPERATION_SECONDS) -> Running:
        """Begin up, preview, refresh or destroy, without asking anything.

        Args:
            flags: of the CLI's command of that name, such as --diff or --target=URN.
            seconds: after which everything is killed.
        """
        self._operations += 1
        event_log = self.work_dir.parent / f"{self._name}-{self._operations}-{operation}.events"
        event_log.touch()
        words = [str(pulumi_cli()), operation, "--stack", self._name, "--non-interactive"]
        words += ["--color", "never", "--event-log", str(event_log), *flags]
        if operation != "preview":
            words += ["--yes", "--skip-preview"]
        host = None
        needs_program = operation not in _NEEDS_NO_PROGRAM or "--run-program" in flags
        if needs_program and self._is_hosted:
            host, port = self._host_program()
            words += [f"--client=127.0.0.1:{port}", "--exec-kind", "auto.inline"]
        process = subprocess.Popen(
            words,
            cwd=self.work_dir,
            env={**self._engine.environment, **operation_environment(event_log)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return Running(Outcome(operation), process, host, event_log, seconds)

    def configure(
        self, config: Mapping[str, object] | None = None, secrets: Mapping[str, str] | None = None
    ) -> None:
        """Set configuration, leaving what is not named as it is.

        Args:
            config: any YAML value by key; a key without a colon belongs to the project.
            secrets: text by key, stored encrypted.
        """
        document: dict[str, Any] = _read(self._stack_file)
        values = document.setdefault("config", {})
        for key, value in (config or {}).items():
            values[key if ":" in key else f"{self._project}:{key}"] = value
        self._stack_file.write_text(yaml.safe_dump(document))
        for key, value in (secrets or {}).items():
            self.pulumi("config", "set", "--secret", key, text=value)

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, secrets in plain text."""
        return json.loads(self.pulumi("stack", "output", "--json", "--show-secrets"))

    def export(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """The state as the backend keeps it, or with secrets in plain text."""
        if show_secrets:
            return json.loads(self.pulumi("stack", "export", "--show-secrets"))
        file = self.backend / ".pulumi" / "stacks" / self._project / f"{self._name}.json"
        state = json.loads(file.read_text())
        return {"version": state["version"], "deployment": state["checkpoint"]["latest"] or {}}

    def resources(self, kind: str | None = None) -> list[dict[str, Any]]:
        """The resources in the state, secrets encrypted; of one type token only, if given."""
        resources: list[dict[str, Any]] = self.export()["deployment"].get("resources", [])
        return [resource for resource in resources if kind in {None, resource["type"]}]

    def unlock(self) -> None:
        """Remove the lock that a killed engine left."""
        self.pulumi("cancel", "--yes")

    def pulumi(self, *words: str, text: str = "") -> str:
        """Run any other CLI command on this stack and return its stdout."""
        return self._engine.pulumi(*words, "--stack", self._name, cwd=self.work_dir, text=text)

    def _host_program(self) -> tuple[subprocess.Popen[str], int]:
        wanted = {
            "work_dir": str(self.work_dir),
            "function": self._function,
            "arguments": self.arguments,
        }
        search_path = [str(PROJECT), *filter(None, sys.path)]
        host = subprocess.Popen(
            [self._engine.python, "-m", "tests.engine.program_host"],
            cwd=PROJECT,
            env={**self._engine.environment, "PYTHONPATH": os.pathsep.join(search_path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert host.stdin is not None
        assert host.stdout is not None
        host.stdin.write(json.dumps(wanted) + "\n")
        host.stdin.flush()
        port = host.stdout.readline()
        assert port, "the program could not be loaded; its error is on stderr"
        return host, int(port)


def _function_name(function: Callable[..., None] | None) -> tuple[str, str] | None:
    if function is None:
        return None
    if "." in function.__qualname__ or "<" in function.__qualname__:
        raise ValueError(f"{function.__qualname__} is not a function at the top of a module")
    return function.__module__, function.__qualname__


def _read(stack_file: Path) -> dict[str, Any]:
    """What the file says; nothing where Pulumi has made none yet."""
    return (yaml.safe_load(stack_file.read_text()) or {}) if stack_file.exists() else {}
