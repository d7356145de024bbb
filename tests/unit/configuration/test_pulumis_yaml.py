"""A stack file is read as Pulumi reads it; each form was seen with Pulumi 3.259."""

from pathlib import Path

import pytest

from configuration.places import places_in
from configuration.pulumis_yaml import read_yaml
from tests.unit.doubles.a_stack import mistake, nodes, valid
from tools.offline.stack_file import read_stack_config


@pytest.mark.parametrize(
    ("written", "read"),
    [
        *((word, word) for word in ("22:30", "1:30:00", "190:20:30.15", "=")),
        *((word, word) for word in ("yes", "no", "on", "off", "y", "Yes")),
        *((word, True) for word in ("true", "True", "TRUE")),
        ("false", False),
        *((word, None) for word in ("~", "null", "")),
        *(("010", 8), ("0o17", 15), ("0x1F", 31), ("0b11", 3), ("1_000", 1000), ("+5", 5)),
        *(("08", 8), ("1e3", 1000), ("1.0", 1), ("1.", 1), ("-7", -7)),
        *(("1.5", 1.5), (".5", 0.5), ("1_0.5", 10.5)),
        ('"5"', "5"),
        ("1.5.3", "1.5.3"),
        ("10Gi", "10Gi"),
    ],
)
def test_a_value_is_what_pulumi_makes_of_it(written: str, read: object) -> None:
    found = read_yaml(f"key: {written}\n")["key"]
    assert (found, type(found)) == (read, type(read))


def test_no_object_of_python_is_made() -> None:
    with pytest.raises(Exception, match="could not determine a constructor"):
        read_yaml("!!python/object/apply:os.getcwd []")


_TEXT = """\
config:
  longhorn-rancher:rancher:
    backup:
      at: 22:30
    removeDataOnDestroy: yes
"""


def test_the_tools_read_a_stack_file_so(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.a.yaml"
    path.write_text(_TEXT)
    values = read_stack_config(path).values
    assert values["longhorn-rancher:rancher"] == (
        '{"backup": {"at": "22:30"}, "removeDataOnDestroy": "yes"}'
    )


def test_a_file_that_pulumi_has_read_so_has_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.a.yaml"
    path.write_text(_TEXT)
    places = places_in(path, "longhorn-rancher")
    given = {"backup": {"at": "22:30"}, "removeDataOnDestroy": "yes"}
    assert places.says("longhorn-rancher:rancher", given)


def test_nodes_in_a_file_of_their_own_are_read_so(tmp_path: Path) -> None:
    path = tmp_path / "nodes.yaml"
    (node,) = nodes({})
    lines = [f"{key}: {value}" for key, value in {**node, "controlPlane": "yes"}.items()]
    path.write_text("- " + "\n  ".join(lines))
    cluster = {"name": "test", "nodesFile": str(path)}
    problem = mistake(valid(cluster=cluster, nodes=None))
    assert problem.key == "longhorn-rancher:nodes[0].controlPlane"
    assert problem.rule == "must be true or false"
