"""The whole program on the lab, as its user would run it: up, outputs, a preview of no change."""

import os
import secrets
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from lab.common import as_root, processes
from lab.common.paths import STATE
from lab.common.progress import LabError, say
from lab.played import played
from lab.programs import plugins, toolchain
from lab.stack import NAME
from lab.up import ENGINES, FOLDER, available_plugins, build, start
from tools.plan import plan

_MINUTES = 3


def demo() -> None:
    """Bring the stack up on the lab, show its outputs, and show that nothing is left to do."""
    say(announcement())
    build()
    pulumi = toolchain.binary("pulumi")
    found = available_plugins()
    start(found)
    environment = _environment(pulumi, found)
    run = _Pulumi(pulumi, environment)
    run("stack", "select", "--create", NAME)
    run("up", "--yes", "--skip-preview")
    say("what the stack gives (the passwords: pulumi stack output --show-secrets):")
    run("stack", "output")
    say("a preview right after it:")
    run("preview", "--diff", "--expect-no-changes")
    if not (found.has_kubernetes and found.has_docker):
        say("the plan of the whole stack, with what this machine could not run:")
        plan.main([NAME])
    _show_played(pulumi)
    say(f"The lab goes on running. The stack is in {FOLDER}; `make demo-down` removes all of it.")


def announcement() -> str:
    """What will happen, and about how long it takes."""
    text = (
        "Three hosts with blank disks, a Kubernetes and a Docker engine come up on this machine, "
        f"and Pulumi's engine runs the whole stack on them: about {_MINUTES} minutes."
    )
    unbuilt = toolchain.unbuilt()
    if not unbuilt:
        return text
    minutes = sum(program.minutes for program in unbuilt)
    names = ", ".join(program.name for program in unbuilt)
    return (
        f"{text} Before that, once, what is not installed here is built or fetched "
        f"({names}): about {minutes} minutes on two cores."
    )


def _show_played(pulumi: Path) -> None:
    table = Table(title="Not the real thing here", title_justify="left", expand=False)
    for heading in ("part", "in its place", "how to have the real one"):
        table.add_column(heading, overflow="fold")
    for part in played(pulumi):
        table.add_row(part.part, part.by, part.real)
    Console().print(table)


def _environment(pulumi: Path, found: plugins.Plugins) -> dict[str, str]:
    backend, passphrase = STATE / "backend", STATE / "passphrase"
    backend.mkdir(parents=True, exist_ok=True)
    if not passphrase.exists():
        passphrase.touch(mode=0o600)
        passphrase.write_text(secrets.token_urlsafe(16))
    return {
        **os.environ,
        **processes.mark(ENGINES),
        "PATH": found.path(pulumi),
        "PULUMI_BACKEND_URL": backend.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(passphrase),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }


class _Pulumi:
    """The CLI in the stack's folder, its output on this terminal."""

    def __init__(self, pulumi: Path, environment: Mapping[str, str]) -> None:
        self._pulumi, self._environment = pulumi, dict(environment)

    def __call__(self, *words: str) -> None:
        command: Sequence[str] = [str(self._pulumi), *words]
        done = subprocess.run(command, cwd=FOLDER, env=self._environment, check=False)
        if done.returncode != 0:
            raise LabError(f"pulumi {' '.join(words)} failed with exit status {done.returncode}")


def main() -> int:
    """The demo; 1 with one line of reason where it can't be shown."""
    try:
        installed = [path.parent for path in toolchain.plugins().values() if path is not None]
        as_root.become("tools.demo", folders=installed)
        demo()
    except LabError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
