"""The lab's OCI runtime asks runc for what the machine can give, and changes nothing else."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab.docker.oci_runtime import within_bounds

_ALL = (1 << len(within_bounds.NAMES)) - 1
_SYS_RESOURCE = 1 << 24


def test_a_machine_with_every_capability_misses_none() -> None:
    assert within_bounds.missing(_ALL) == []


def test_a_missing_capability_is_named_by_its_place_in_the_kernel_s_list() -> None:
    assert within_bounds.missing(_ALL & ~_SYS_RESOURCE) == ["CAP_SYS_RESOURCE"]


def test_the_bounding_set_is_read_from_the_process_s_status() -> None:
    status = "Name:\tx\nCapEff:\t0000000000000000\nCapBnd:\t000001fffeffffff\n"
    assert within_bounds.bounding_set(status) == 0x1FFFEFFFFFF


def test_a_capability_is_taken_out_of_every_set_and_the_rest_of_the_process_stays() -> None:
    process = {
        "args": ["sh"],
        "capabilities": {
            "bounding": ["CAP_CHOWN", "CAP_SYS_RESOURCE"],
            "ambient": ["CAP_SYS_RESOURCE"],
        },
    }
    assert within_bounds.without(process, ["CAP_SYS_RESOURCE"]) == {
        "args": ["sh"],
        "capabilities": {"bounding": ["CAP_CHOWN"], "ambient": []},
    }


def test_a_process_without_capabilities_stays_as_it_is() -> None:
    process = {"args": ["sh"]}
    assert within_bounds.without(process, ["CAP_SYS_RESOURCE"]) == process


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("--root /r create --bundle /b --pid-file /p id", (Path("/b/config.json"), "bundle")),
        ("--root /r run -b /b id", (Path("/b/config.json"), "bundle")),
        ("--root /r exec --process /p.json --detach id", (Path("/p.json"), "process")),
        ("--root /r exec --process=/p.json id", (Path("/p.json"), "process")),
        ("--root /r exec id true", None),
        ("--root /r state id", None),
        ("--root /r kill id 9", None),
    ],
)
def test_only_commands_that_start_a_process_name_a_file_to_change(
    command: str, expected: tuple[Path, str] | None
) -> None:
    assert within_bounds.file_to_change(command.split()) == expected


def test_the_runtime_becomes_runc_with_the_arguments_that_it_was_given(tmp_path: Path) -> None:
    process = {"capabilities": {"bounding": list(within_bounds.NAMES)}}
    (tmp_path / "config.json").write_text(json.dumps({"process": process, "hostname": "kept"}))
    runc = tmp_path / "runc"
    runc.write_text('#!/bin/sh\necho "$@"\n')
    runc.chmod(0o755)
    arguments = ["create", "--bundle", str(tmp_path), "name"]

    done = subprocess.run(
        [sys.executable, "-I", "-S", within_bounds.__file__, runc, *arguments],
        check=True,
        capture_output=True,
        text=True,
    )

    assert done.stdout.split() == arguments
    changed = json.loads((tmp_path / "config.json").read_text())
    own = within_bounds.bounding_set(Path(f"/proc/{os.getpid()}/status").read_text())
    granted = set(changed["process"]["capabilities"]["bounding"])
    assert granted == set(within_bounds.NAMES) - set(within_bounds.missing(own))
    assert changed["hostname"] == "kept"
