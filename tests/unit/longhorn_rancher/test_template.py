"""template/: the program that `pulumi new` copies, under mocks."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from configuration.problems import SettingsError
from tests.unit.doubles.a_stack import nodes
from tests.unit.doubles.another_program import UNREAD
from tools.offline.answers import AnsweringMocks
from tools.offline.recording import Recording, run_program
from tools.offline.stack_file import KEY_PLACEHOLDER, PROJECT, StackConfig

_TEMPLATE = PROJECT / "template"


@pytest.fixture(autouse=True)
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a new project, and a key outside of it."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "nodes.yaml").write_text((_TEMPLATE / "nodes.yaml").read_text())
    monkeypatch.chdir(project)
    return tmp_path / "key"


def _run(**values: Any) -> Recording:
    asked = yaml.safe_load((_TEMPLATE / "Pulumi.yaml").read_text())["template"]["config"]
    answers = {key: each["default"] for key, each in asked.items()}
    config = {**answers, "checks": json.dumps(UNREAD), **values}
    return run_program(
        StackConfig({f"mine:{key}": value for key, value in config.items()}, frozenset()),
        stack="test",
        preview=False,
        mocks=AnsweringMocks(),
        program=_TEMPLATE / "__main__.py",
        project="mine",
    )


def test_what_is_left_to_fill_in_is_told_by_its_line(key: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        _run(sshPrivateKeyFile=str(key))
    told = str(caught.value)
    assert "of nodes.yaml, nodes[0].hostKey: node worker-1 has no host key" in told
    assert "nodes[1].hostKey" in told
    assert "ssh.privateKeyFile = " in told


def test_filled_in_it_declares_disks_longhorn_and_the_proof_that_volumes_work(key: Path) -> None:
    key.write_text(KEY_PLACEHOLDER)
    Path("nodes.yaml").write_text(yaml.safe_dump(nodes({}, {})))
    recording = _run(sshPrivateKeyFile=str(key))
    names = {each.name for each in recording.resources}
    assert {"node-1", "node-2", "longhorn-release", "volume-check", "removal-guard"} <= names
    assert set(recording.outputs) == {"disks", "longhornVersion", "defaultStorageClass"}
