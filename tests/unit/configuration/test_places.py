"""The line of a stack file in which a mistake is written."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from configuration import settings
from configuration.places import Places, places_in
from tests.unit.doubles.a_stack import HOST_KEY, load

_TEXT = f"""\
# A comment.
config:
  longhorn-rancher:cluster:
    name: test
  longhorn-rancher:ssh: {{ useAgent: true,
    port: 70000 }}
  longhorn-rancher:nodes:
    - {{ name: node-1, host: 192.0.2.1, hostKey: {HOST_KEY} }}
    - name: node-2
      host: 10.0.0.2:22
      hostKey: {HOST_KEY}
      disks:
        - device: /dev/sdb
          mountPoint: /mnt/a
        - device: /dev/sdc
          mountPoint: mnt/b
  rancher: &rancher
    url: https://rancher.example.com
    tag: latest
  other:key: 1
"""


@pytest.fixture
def places(tmp_path: Path) -> Places:
    path = tmp_path / "Pulumi.test.yaml"
    path.write_text(_TEXT)
    return places_in(path, settings.NAMESPACE)


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("cluster.name", 4),
        ("ssh.port", 6),
        ("nodes", 7),
        ("nodes[0].host", 8),
        ("nodes[1].host", 10),
        ("nodes[1].disks[1].mountPoint", 16),
        ("rancher.tag", 19),
        # What is not there is told where it should be.
        ("cluster.kubeconfig", 3),
        ("nodes[1].port", 9),
        ("nodes[7].host", 7),
        ("longhorn.version", None),
    ],
)
def test_a_key_has_its_line_and_a_missing_one_the_nearest_above_it(
    places: Places, key: str, line: int | None
) -> None:
    assert places.line(f"longhorn-rancher:{key}") == line


def test_a_key_that_is_merged_from_another_map_has_the_line_where_it_is_written(
    tmp_path: Path,
) -> None:
    path = tmp_path / "Pulumi.test.yaml"
    path.write_text("config:\n  nodes:\n    - &one\n      port: 0\n    - <<: *one\n      host: a\n")
    found = places_in(path, settings.NAMESPACE)
    assert found.line("longhorn-rancher:nodes[1].port") == 4
    assert found.line("longhorn-rancher:nodes[1].host") == 6


def test_a_file_says_what_was_given_or_it_does_not(places: Places) -> None:
    assert places.says("longhorn-rancher:cluster", {"name": "test"})
    assert not places.says("longhorn-rancher:cluster", {"name": "other"})
    assert not places.says("longhorn-rancher:longhorn", {})


@pytest.mark.parametrize("text", ["", "config:", "config: []", "[1]", "{", "\0", "config: {1: 2}"])
def test_what_is_no_stack_file_has_no_lines(tmp_path: Path, text: str) -> None:
    path = tmp_path / "Pulumi.test.yaml"
    path.write_text(text)
    assert places_in(path, settings.NAMESPACE).line("longhorn-rancher:nodes") is None
    assert places_in(tmp_path / "absent", settings.NAMESPACE).line("x:y") is None


def _told(tmp_path: Path, given: dict[str, Any]) -> str:
    path = tmp_path / "Pulumi.test.yaml"
    path.write_text(_TEXT)
    with pytest.raises(settings.SettingsError) as caught:
        load(given, stack_file=path)
    return str(caught.value)


def test_each_mistake_is_told_with_its_line_in_the_order_of_the_file(tmp_path: Path) -> None:
    lines = _told(tmp_path, yaml.safe_load(_TEXT)["config"]).splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == [
        "  - line 6",
        "  - line 10",
        "  - line 16",
        "  - line 19",
    ]
    assert lines[0].endswith("Pulumi.test.yaml has 4 mistakes; nothing was touched")


def test_a_section_that_the_file_does_not_say_has_no_line(tmp_path: Path) -> None:
    given = yaml.safe_load(_TEXT)["config"]
    given["longhorn-rancher:ssh"]["port"] = 80000
    assert "  - longhorn-rancher:ssh.port = 80000" in _told(tmp_path, given)
