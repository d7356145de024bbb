"""What the lab's stand-ins for plugins have in common, as far as it needs no engine of Pulumi's."""

import os
import subprocess
from importlib import metadata
from pathlib import Path

import pytest
from google.protobuf import json_format, struct_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.programs import command_stand_in, docker_stand_in
from lab.programs.plugin_base.changes import Change, changes, root
from lab.programs.plugin_base.launcher import StandIn
from lab.programs.plugin_base.values import UNKNOWN, Properties, Secret, decode, encode, plain

STAND_IN = command_stand_in.STAND_IN

values = st.recursive(
    st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.just(UNKNOWN),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(st.text(min_size=1, max_size=3), children, max_size=3)
        | st.builds(Secret, children)
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.dictionaries(st.text(min_size=1, max_size=5), values, max_size=4))
def test_properties_survive_the_wire(properties: Properties) -> None:
    assert decode(encode(properties)) == properties


def test_the_markers_are_those_of_the_engine() -> None:
    wire = json_format.ParseDict(
        {
            "secret": {
                "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
                "value": "hidden",
            },
            "unknown": "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
            "unknown number": "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
            "null": None,
        },
        struct_pb2.Struct(),
    )
    assert decode(wire) == {
        "secret": Secret("hidden"),
        "unknown": UNKNOWN,
        "unknown number": UNKNOWN,
    }


def test_plain_unwraps_secrets_at_every_depth() -> None:
    assert plain({"a": Secret([{"b": Secret("c")}])}) == {"a": [{"b": "c"}]}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"stdin": "a"}, {"stdin": "a"}, {}),
        ({"stdin": "a"}, {"stdin": "b"}, {"stdin": Change.UPDATED}),
        ({}, {"delete": "a"}, {"delete": Change.ADDED}),
        ({"delete": "a"}, {}, {"delete": Change.DELETED}),
        ({"stdin": "a"}, {"stdin": UNKNOWN}, {"stdin": Change.UPDATED}),
        ({"stdin": Secret("a")}, {"stdin": Secret("a")}, {}),
        ({"stdin": "a"}, {"stdin": Secret("a")}, {"stdin": Change.UPDATED}),
        (
            {"connection": Secret({"port": 1.0})},
            {"connection": Secret({"port": 2.0})},
            {"connection": Change.UPDATED},
        ),
        (
            {"environment": {"A": "1", "a.b": "1"}},
            {"environment": {"a.b": "2", "C": "3"}},
            {
                "environment.A": Change.DELETED,
                'environment["a.b"]': Change.UPDATED,
                "environment.C": Change.ADDED,
            },
        ),
        (
            {"triggers": ["a", "b"]},
            {"triggers": ["c"]},
            {"triggers[0]": Change.UPDATED, "triggers[1]": Change.DELETED},
        ),
        ({"triggers": [True]}, {"triggers": [1.0]}, {"triggers[0]": Change.UPDATED}),
        ({"version": "1", "__internal": "x"}, {}, {}),
    ],
)
def test_changes_are_named_by_their_path(
    old: Properties, new: Properties, expected: dict[str, Change]
) -> None:
    assert changes(old, new) == expected


def test_ignored_inputs_do_not_count() -> None:
    assert changes({"stdin": "a", "create": "a"}, {"stdin": "b"}, ("stdin",)) == {
        "create": Change.DELETED
    }


@pytest.mark.parametrize("path", ["triggers", "triggers[0]", "triggers.a[1]"])
def test_the_root_of_a_path_is_its_input(path: str) -> None:
    assert root(path) == "triggers"


@pytest.mark.parametrize("stand_in", [STAND_IN, docker_stand_in.STAND_IN])
def test_the_launcher_starts_a_plugin_that_prints_its_port(
    stand_in: StandIn, tmp_path: Path
) -> None:
    launcher = stand_in.install(tmp_path / "with space")
    process = subprocess.Popen(
        [launcher, "--logtostderr", "127.0.0.1:1"], stdout=subprocess.PIPE, cwd=tmp_path, text=True
    )
    try:
        assert process.stdout is not None
        assert 0 < int(process.stdout.readline()) < 65536
    finally:
        process.terminate()
        assert process.wait(timeout=20) == 0


@pytest.mark.parametrize("stand_in", [STAND_IN, docker_stand_in.STAND_IN])
def test_a_stand_in_follows_the_version_of_the_sdk(stand_in: StandIn) -> None:
    assert stand_in.version == metadata.version(f"pulumi-{stand_in.name}")


def test_the_stand_in_is_never_taken_for_the_real_plugin(tmp_path: Path) -> None:
    stand_in = STAND_IN.install(tmp_path / "stand-in").parent
    real = tmp_path / "real" / STAND_IN.executable
    real.parent.mkdir()
    real.write_text("#!/bin/sh\nexit 0\n")
    real.chmod(0o755)
    home = tmp_path / "home"
    assert STAND_IN.find_real(str(stand_in), home) is None
    assert STAND_IN.find_real(f"{stand_in}{os.pathsep}{real.parent}", home) == real


def test_an_installed_real_plugin_is_found_without_path(tmp_path: Path) -> None:
    installed = tmp_path / "plugins" / f"resource-command-v{STAND_IN.version}" / STAND_IN.executable
    installed.parent.mkdir(parents=True)
    installed.touch()
    assert STAND_IN.find_real("", tmp_path) == installed
