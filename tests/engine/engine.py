"""Pulumi's real engine for tests: its own home, backend, secrets and search path.

    engine = Engine(tmp_path / "engine", path_dirs=[directory_with_a_plugin])
    stack = engine.stack("test", program=some_function, arguments={"text": "hello"})
    outcome = stack.up().or_fail()
    assert outcome.operations() == {"create": 2}

Nothing of the person's own Pulumi (login, stacks, settings) is read or written; plugins
installed in their Pulumi home are used. A program is a function at the top of a module, because
it runs in a process of its own; its arguments are whatever JSON can carry.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lab.common.paths import PROJECT, STATE
from lab.programs import own_python, plugins
from lab.programs.plugin_base.launcher import StandIn
from tests.engine import warm_python
from tests.engine.outcome import Diagnostic, Outcome, Step
from tests.engine.running import EngineTimeoutError, Running
from tests.engine.stack import Stack, pulumi_cli

__all__ = ["Diagnostic", "Engine", "EngineTimeoutError", "Outcome", "Running", "Stack", "Step"]

_COMMAND_SECONDS = 60.0
_PASSPHRASE = "only-for-tests"  # noqa: S105
_NOT_PART_OF_A_PROJECT = {"Pulumi.yaml", "stacks", "tests", "tools", "docs"}


class Engine:
    """An engine with nothing in common with the person's own but the plugins.

    Attributes:
        environment: of every process that it starts; may be changed between operations.
        python: what runs the processes of Python that it starts.
        backend: the folder that it keeps its stacks in.
    """

    def __init__(self, work_dir: Path, path_dirs: Sequence[Path] = ()) -> None:
        """Prepare directories; nothing runs yet.

        Args:
            work_dir: made here; all that the engine writes goes there.
            path_dirs: come first on the search path, so the plugins in them are the ones used;
                after them the ones that this machine has, or builds, or plays.
        """
        self._work_dir = work_dir
        home, self.backend = work_dir / "pulumi-home", work_dir / "backend"
        self.backend.mkdir(parents=True)
        _share_plugins(home / "plugins")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")}
        self.python = python()
        cli, made = pulumi_cli(), plugins.without_fetching(work_dir / "stand-ins", self.python)
        self.environment = {
            **kept,
            "PATH": os.pathsep.join([*map(str, path_dirs), made.path(cli)]),
            "PULUMI_HOME": str(home),
            "PULUMI_BACKEND_URL": self.backend.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": _PASSPHRASE,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            # A plugin that is not here is an error at once, not a search for a site.
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            # An engine that is given its program asks nobody which Python its dynamic resources
            # run in: without this, it is the first on PATH.
            "PULUMI_PYTHON_CMD": self.python,
            "PULUMI_DEBUG_COMMANDS": "true",  # has --event-log, as the Automation API does
        }

    def stack(
        self,
        name: str,
        *,
        program: Callable[..., None],
        arguments: Mapping[str, object] | None = None,
        project: str = "test",
        config: Mapping[str, object] | None = None,
        secrets: Mapping[str, str] | None = None,
    ) -> Stack:
        """A new stack of an inline program."""
        work_dir = self._work_dir / "project"
        work_dir.mkdir(exist_ok=True)
        settings = {"name": project, "runtime": own_python.runtime()}
        (work_dir / "Pulumi.yaml").write_text(yaml.safe_dump(settings))
        file = work_dir / f"Pulumi.{name}.yaml"
        stack = Stack(self, name, project, work_dir, file, program, arguments or {})
        return _initialised(stack, config, secrets)

    def project_stack(
        self,
        name: str,
        *,
        stack_file: Path | None = None,
        config: Mapping[str, object] | None = None,
        secrets: Mapping[str, str] | None = None,
    ) -> Stack:
        """A new stack of this project's own program, with the project's own settings.

        Only the Python is the one that runs the tests.

        Args:
            stack_file: a Pulumi.<stack>.yaml to begin with; secrets in it can't be decrypted.
            config: set on top of it, as are secrets.
        """
        work_dir = self._work_dir / "project"
        work_dir.mkdir(exist_ok=True)
        for entry in PROJECT.iterdir():
            link = work_dir / entry.name
            if not (entry.name in _NOT_PART_OF_A_PROJECT or entry.name[0] == "." or link.exists()):
                link.symlink_to(entry)
        settings: dict[str, Any] = yaml.safe_load((PROJECT / "Pulumi.yaml").read_text())
        settings["runtime"] = own_python.runtime()
        (work_dir / "Pulumi.yaml").write_text(yaml.safe_dump(settings))
        stacks = work_dir / settings.get("stackConfigDir", ".")
        stacks.mkdir(exist_ok=True)
        file = stacks / f"Pulumi.{name}.yaml"
        if stack_file is not None:
            file.write_text(stack_file.read_text())
        stack = Stack(self, name, settings["name"], work_dir, file, None, {})
        return _initialised(stack, config, secrets)

    def folder_stack(
        self,
        name: str,
        folder: Path,
        environment: Path,
        *,
        config: Mapping[str, object] | None = None,
        secrets: Mapping[str, str] | None = None,
    ) -> Stack:
        """A new stack of the program in this folder, run as a person's own is.

        Args:
            folder: has a Pulumi.yaml, which is made to name the environment.
            environment: the virtual environment that the program runs in.
        """
        project = folder / "Pulumi.yaml"
        settings: dict[str, Any] = yaml.safe_load(project.read_text())
        options = {"toolchain": "pip", "virtualenv": str(environment)}
        settings["runtime"] = {"name": "python", "options": options}
        project.write_text(yaml.safe_dump(settings))
        file = folder / f"Pulumi.{name}.yaml"
        stack = Stack(self, name, settings["name"], folder, file, None, {}, is_hosted=False)
        return _initialised(stack, config, secrets)

    def pulumi(self, *words: str, cwd: Path, text: str = "") -> str:
        """Run the CLI and return its stdout; an AssertionError with all it printed if it fails."""
        answer = subprocess.run(
            [pulumi_cli(), *words, "--non-interactive", "--color", "never"],
            cwd=cwd,
            env=self.environment,
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=_COMMAND_SECONDS,
        )
        printed = f"{answer.stdout}{answer.stderr}"
        assert answer.returncode == 0, f"pulumi {' '.join(words)}: {printed}"
        return answer.stdout


def python() -> str:
    """What runs the processes of Python that engines start."""
    return str(warm_python.executable())


def installed(stand_in: StandIn, folder: Path) -> Path:
    """The folder, with the stand-in in it as an engine starts it."""
    return stand_in.install(folder, python()).parent


@dataclass(frozen=True)
class _Initialised:
    """What `pulumi stack init` left: the backend's files, and the salt in the stack's file."""

    backend: Path
    salt: str


_initialised_before: dict[tuple[str, str], _Initialised] = {}
"""By project and stack. A stack of the same names is the same each time, but for its salt."""


def _initialised(
    stack: Stack, config: Mapping[str, object] | None, secrets: Mapping[str, str] | None
) -> Stack:
    backend = stack.backend
    is_first = not any(backend.iterdir())
    known = _initialised_before.get(stack.names) if is_first else None
    if known is None:
        stack.pulumi("stack", "init")
        if is_first:
            copy = Path(tempfile.mkdtemp(dir=STATE, prefix="stack-")) / "backend"
            kept = _Initialised(Path(shutil.copytree(backend, copy)), stack.salt)
            _initialised_before[stack.names] = kept
    else:
        shutil.copytree(known.backend, backend, dirs_exist_ok=True)
        stack.salt = known.salt
    if config or secrets:
        stack.configure(config, secrets)
    return stack


def _share_plugins(folder: Path) -> None:
    """Make the person's installed plugins usable without their home being written to."""
    folder.mkdir(parents=True)
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    for installed in sorted((home / "plugins").glob("resource-*")):
        if installed.is_dir():
            (folder / installed.name).symlink_to(installed)
