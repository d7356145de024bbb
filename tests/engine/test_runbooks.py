"""docs/runbooks, step by step on Pulumi's real engine: what a page says is what works.

Commands for the Docker host are taken from the pages and typed there. Rancher, its agent and the
kubelets are the lab's stand-ins.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import docker_engine
from tests.engine.engine import Stack
from tests.engine.rancher_lab import DockerHost, RancherLab, missing, rancher_lab
from tests.engine.runbook import commands

pytestmark = [
    pytest.mark.engine,
    pytest.mark.lab,
    pytest.mark.skipif(
        missing("docker", "kubernetes") is not None, reason=str(missing("docker", "kubernetes"))
    ),
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RancherLab]:
    with rancher_lab(tmp_path_factory.mktemp("r")) as made:
        yield made


@pytest.fixture
def stack(lab: RancherLab, tmp_path: Path) -> Iterator[Stack]:
    """Rancher on the old host, the cluster active in it; no data is left at the end."""
    made = lab.engine(tmp_path / "engine").project_stack("book", config=lab.config(lab.old))
    made.up().or_fail()
    yield made
    made.destroy().or_fail()
    for host in (lab.old, lab.new):
        for kind in ("container", "volume"):
            for name in docker_engine.command(
                host.docker, kind, "ls", "--quiet", *(["--all"] if kind == "container" else [])
            ).split():
                docker_engine.command(host.docker, kind, "rm", "--force", name)


def test_x(lab, stack):
    def show(o):
        print(o.operation, o.succeeded, o.operations())
        for s in o.steps:
            if s.stage == "begun" and s.operation not in ("same", "refresh"): print("  ", s.operation, s.name, dict(s.detail))
        print(o.errors()[-3000:])
        if not o.succeeded: print(o.log[-4000:])
    print(stack.outputs())
    show(stack.preview())
    lab.old.sh("docker stop --time 60 rancher\ndocker ps -a")
    # copy volume
    lab.old.sh("docker run --rm -v rancher-data:/data:ro -v \"$PWD:/backup\" busybox:1.36.1 tar -czf /backup/x.tar.gz -C /data .")
    import shutil
    shutil.copy(lab.old.folder/"x.tar.gz", lab.new.folder)
    lab.new.sh("docker volume create rancher-data; docker run --rm -v rancher-data:/data -v \"$PWD:/backup:ro\" busybox:1.36.1 tar -xzpf /backup/x.tar.gz -C /data")
    stack.configure(lab.config(lab.new))
    show(stack.preview())
    show(stack.preview("--refresh"))
    show(stack.preview("--refresh","--run-program"))
    show(stack.up())
    show(stack.up("--refresh","--run-program"))
    show(stack.preview())
    show(stack.preview("--refresh"))
