"""template/: what `pulumi new` makes of it is a program that previews on hosts and a cluster."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from lab.common.paths import PROJECT
from tests.engine.engine import Engine, Stack
from tests.engine.installed import environment
from tests.engine.longhorn_lab import LonghornLab, longhorn_lab
from tests.engine.needs import needs_longhorn
from tests.engine.program_lab import node

pytestmark = needs_longhorn

_NEW = ("--offline", "--generate-only", "--yes", "--name", "mine", "--description", "What mine is")
_PREFIX = "longhorn-rancher:"


@pytest.fixture(scope="module")
def lab() -> Iterator[LonghornLab]:
    with longhorn_lab(1) as made:
        yield made


@pytest.fixture
def folder(engine: Engine, tmp_path: Path) -> Path:
    """What the CLI wrote."""
    folder = tmp_path / "mine"
    folder.mkdir()
    engine.pulumi("new", str(PROJECT / "template"), *_NEW, cwd=folder)
    return folder


@pytest.fixture
def stack(engine: Engine, folder: Path, lab: LonghornLab) -> Stack:
    """The new project's, with the answers to what `pulumi new` asks."""
    host = lab.hosts[0]
    config = {
        "clusterName": "storage",
        "kubeconfig": str(lab.cluster.kubeconfig),
        "sshUser": host.user,
        "sshPrivateKeyFile": str(host.client_key_path),
    }
    return engine.folder_stack("test", folder, environment(), config=config)


def _asked() -> set[str]:
    return set(
        yaml.safe_load((PROJECT / "template" / "Pulumi.yaml").read_text())["template"]["config"]
    )


def test_a_new_project_has_its_name_and_nothing_of_the_template_in_it(folder: Path) -> None:
    project = yaml.safe_load((folder / "Pulumi.yaml").read_text())
    assert (project["name"], project["description"]) == ("mine", "What mine is")
    assert "template" not in project
    written = {path.name for path in folder.iterdir()}
    assert written == {path.name for path in (PROJECT / "template").iterdir()}


def test_it_asks_for_every_key_that_the_program_requires() -> None:
    program = (PROJECT / "template" / "__main__.py").read_text()
    required = {part.partition('"')[0] for part in program.split('config.require("')[1:]}
    assert required == _asked()


def test_without_the_package_it_says_where_to_write_it(
    engine: Engine, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "longhorn_rancher.py").write_text(
        "raise ModuleNotFoundError(name='longhorn_rancher')"
    )
    engine.environment["PYTHONPATH"] = str(tmp_path / "hidden")
    outcome = engine.folder_stack("test", folder, environment()).preview()
    assert not outcome.succeeded
    assert "requirements.txt" in outcome.errors()


def test_what_is_left_to_fill_in_is_told_by_its_line(stack: Stack) -> None:
    outcome = stack.preview()
    assert not outcome.succeeded
    assert "of nodes.yaml, nodes[0].hostKey" in outcome.errors(), outcome.log
    assert "nodes[1].hostKey" in outcome.errors(), outcome.log


def test_filled_in_it_previews_the_disks_and_longhorn(
    stack: Stack, folder: Path, lab: LonghornLab
) -> None:
    shipped = lab.config()
    (folder / "nodes.yaml").write_text(yaml.safe_dump([node(lab.hosts[0])]))
    stack.configure({key: shipped[f"{_PREFIX}{key}"] for key in ("longhorn", "checks")})
    outcome = stack.preview(seconds=600.0).or_fail()
    created = {step.name for step in outcome.steps if step.operation == "create"}
    assert {"storage", "longhorn-release", "volume-check", lab.hosts[0].name} <= created
