"""What a recording of the demo keeps, and that it is a picture of it."""

from pathlib import Path
from xml.etree import ElementTree

from tools.offline.stack_file import PROJECT
from tools.pages.recorded_demo import drawn, shown


def test_a_recording_leaves_out_what_has_only_begun_and_keeps_what_is_done() -> None:
    said = [
        "[   4.9 s] 3 hosts up: node-1",
        "@ updating....",
        " +  command:remote:Command node-1-mount creating (2s) /dev/sdb: mounting",
        " +  command:remote:Command node-1-mount created (2s)",
        " +  pulumi:pulumi:Stack longhorn-rancher-lab creating (9s)",
    ]
    assert list(shown(said)) == [said[0], said[3]]


def test_of_an_output_with_parts_its_name_alone_is_kept() -> None:
    said = ["    disks : {", "        node-1: [", "    }", '    longhornVersion : "1.5.3"']
    assert list(shown(said)) == [said[0], said[3]]


def test_empty_lines_behind_each_other_are_one() -> None:
    assert list(shown(["a", "", "", "b"])) == ["a", "", "b"]


def test_colours_do_not_hide_what_a_line_is() -> None:
    assert list(shown(["\x1b[32m@ updating\x1b[0m...", "\x1b[32mdone\x1b[0m"])) == [
        "\x1b[32mdone\x1b[0m"
    ]


def test_folders_of_this_machine_are_not_shown() -> None:
    said = [f"built {Path.home()}/.cache/lab/bin/etcd", f"wrote {PROJECT}/docs/demo.svg"]
    assert list(shown(said)) == ["built ~/.cache/lab/bin/etcd", "wrote ./docs/demo.svg"]


def test_a_recording_loads_nothing() -> None:
    picture = drawn(["Updating"])
    assert "url(" not in picture.replace("url(#", "")
    assert "Fira" not in picture


def test_a_recording_is_a_picture_with_the_lines_in_it() -> None:
    picture = drawn(["\x1b[32mUpdating\x1b[0m (lab)", "x" * 300])
    words = "".join(ElementTree.fromstring(picture).itertext()).replace("\xa0", " ")  # noqa: S314
    assert "Updating" in words
    assert "\x1b" not in picture
    assert "x" * 119 not in words
