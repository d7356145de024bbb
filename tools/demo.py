"""The whole program on the lab, as its user would run it: up, outputs, a preview of no change."""

import os
import secrets
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab.common.paths import STATE
from lab.common.progress import NEEDS_ROOT, LabError, say
from lab.programs import plugins, toolchain
from lab.stack import NAME
from lab.up import FOLDER, available_plugins, start
from tools.plan import plan


def demo() -> None:
    """Bring the stack up on the lab, show its outputs, and show that nothing is left to do."""
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
    if not (found.kubernetes and found.docker):
        say("the plan of the whole stack, with what this machine could not run:")
        plan.main([NAME])
    say(f"The lab goes on running. The stack is in {FOLDER}; `make demo-down` removes all of it.")


def _environment(pulumi: Path, found: plugins.Plugins) -> dict[str, str]:
    backend, passphrase = STATE / "backend", STATE / "passphrase"
    backend.mkdir(parents=True, exist_ok=True)
    if not passphrase.exists():
        passphrase.touch(mode=0o600)
        passphrase.write_text(secrets.token_urlsafe(16))
    return {
        **os.environ,
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
    if os.geteuid() != 0:
        print(NEEDS_ROOT, file=sys.stderr)
        return 1
    try:
        demo()
    except LabError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
