"""The whole program on the lab, as its user would run it: up, outputs, a preview of no change."""

import os
import secrets
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from configuration.rancher import RancherSettings
from lab import chart, docker_engine, hosts, kubernetes, plugins, toolchain
from lab.paths import STATE
from lab.progress import LabError, say
from lab.rancher_stand_in import agent, image
from lab.stack import NAME, LabParts, stack_config, write_project
from tools import plan

_FOLDER = STATE / "stack"


def up() -> LabParts:
    """Start what this machine can run of the lab, and write the stack that fits it."""
    return _start(_plugins())


def demo() -> None:
    """Bring the stack up on the lab, show its outputs, and show that nothing is left to do."""
    pulumi = toolchain.binary("pulumi")
    found = _plugins()
    _start(found)
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
    say(f"The lab goes on running. The stack is in {_FOLDER}; `make demo-down` removes all of it.")


def _plugins() -> plugins.Plugins:
    return plugins.available(toolchain.binary("pulumi"))


def _start(found: plugins.Plugins) -> LabParts:
    started = hosts.up()
    without_chart = chart.missing_chart() if found.kubernetes else None
    if without_chart is not None:
        say(f"{without_chart}. Left out is everything in the cluster.")
    has_cluster = found.kubernetes and without_chart is None
    cluster = kubernetes.up([host.name for host in started]) if has_cluster else None
    engine = docker_engine.up() if found.docker else None
    if engine is not None:
        image.build(engine, RancherSettings.model_fields["tag"].default)
    if cluster is not None and engine is not None:
        agent.up(cluster.kubeconfig)
    parts = LabParts(
        hosts=started,
        kubeconfig=cluster.kubeconfig if cluster else None,
        docker_host=engine.host if engine else None,
        chart=chart.local_chart(),
    )
    write_project(_FOLDER, stack_config(parts))
    return parts


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
        done = subprocess.run(command, cwd=_FOLDER, env=self._environment, check=False)
        if done.returncode != 0:
            raise LabError(f"pulumi {' '.join(words)} failed with exit status {done.returncode}")
