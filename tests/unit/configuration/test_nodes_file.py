"""Nodes in a file of their own: the same rules, and the lines of that file."""

from pathlib import Path

import pytest
import yaml

from tests.unit.doubles.a_stack import HOST_KEY, load, mistake, mistakes, nodes, run, valid

_TWO = nodes({}, {"disks": []})


@pytest.fixture
def nodes_file(tmp_path: Path) -> Path:
    path = tmp_path / "nodes.yaml"
    path.write_text(yaml.safe_dump(_TWO))
    return path


def _naming(path: Path, **changes: object) -> dict[str, object]:
    return valid(cluster={"name": "test", "nodesFile": str(path)}, nodes=None, **changes)


def test_nodes_of_a_file_are_those_of_the_stack_file(nodes_file: Path) -> None:
    assert load(_naming(nodes_file)).nodes == load(valid(nodes=_TWO)).nodes


def test_the_program_declares_the_same_for_them(nodes_file: Path) -> None:
    declared = {each.urn: each.inputs for each in run(_naming(nodes_file)).resources}
    assert declared == {each.urn: each.inputs for each in run(valid(nodes=_TWO)).resources}


def test_a_list_that_is_empty_in_the_stack_file_is_no_second_place(nodes_file: Path) -> None:
    assert len(load({**_naming(nodes_file), "nodes": []}).nodes) == 2


def test_nodes_in_two_places_are_refused(nodes_file: Path) -> None:
    found = mistake({**_naming(nodes_file), "nodes": _TWO})
    assert found.key == "longhorn-rancher:nodes"
    assert "cluster.nodesFile" in found.rule


def test_each_mistake_names_the_line_of_that_file(tmp_path: Path) -> None:
    path = tmp_path / "nodes.yaml"
    path.write_text(
        f"- name: node-1\n  host: 192.0.2.11\n  hostKey: {HOST_KEY}\n"
        f"- name: Node_2\n  host: 192.0.2.11\n  hostKey: {HOST_KEY}\n  disk: []\n"
    )
    found = mistakes(_naming(path, ssh={"useAgent": True, "port": 0}))
    assert {(each.key, each.line, each.file) for each in found} == {
        ("longhorn-rancher:ssh.port", None, None),
        ("longhorn-rancher:nodes[1].host", 5, str(path)),
        ("longhorn-rancher:nodes[1].name", 4, str(path)),
        ("longhorn-rancher:nodes[1].disk", 7, str(path)),
    }
    assert f"line 4 of {path}, longhorn-rancher:nodes[1].name = 'Node_2'" in str(
        next(each for each in found if each.key.endswith("nodes[1].name"))
    )


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("- {", "is not YAML"),
        ("\0", "is not YAML"),
        ("", "holds no list of nodes"),
        ("[]", "holds no list of nodes"),
        ("nodes:\n  - name: node-1\n", "holds no list of nodes"),
    ],
)
def test_a_file_without_nodes_is_one_mistake(tmp_path: Path, text: str, rule: str) -> None:
    path = tmp_path / "nodes.yaml"
    path.write_text(text)
    found = mistake(_naming(path))
    assert found.key == "longhorn-rancher:cluster.nodesFile"
    assert found.rule.startswith(rule)


def test_a_file_that_is_not_there_is_one_mistake(tmp_path: Path) -> None:
    found = mistake(_naming(tmp_path / "absent.yaml"))
    assert found.rule == "can't be read: No such file or directory"


def test_a_path_that_is_no_text_is_one_mistake() -> None:
    found = mistake(valid(cluster={"name": "test", "nodesFile": 3}, nodes=None))
    assert found.key == "longhorn-rancher:cluster.nodesFile"
    assert found.rule == "must be text"
