"""The volume check, on file systems that are strict about their size and on some that are not."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.scripts.remote import Outcome, outcome, script_text
from tests.scripts.sandbox import MIB, Sandbox

pytestmark = pytest.mark.disks

VOLUME = "/opt/test/volume"
# Only what the busybox image has: its own shell, and no program from anywhere else.
BUSYBOX = "/opt/test/busybox"


@pytest.fixture
def pod(host: Sandbox) -> Sandbox:
    """A host with a volume of 10 MiB, and a search path with busybox's programs alone."""
    if host.call("busybox", "true").returncode != 0:
        pytest.skip("needs the command busybox")
    host.shell(f"mkdir -p {BUSYBOX}; busybox --install -s {BUSYBOX}")
    # Not every build of it counts itself among its programs.
    host.shell(f'ln -sf "$(command -v busybox)" {BUSYBOX}/busybox')
    host.add_disk("sdv", 10 * MIB)
    host.shell(f"mkfs.ext4 -q -m 0 /dev/sdv; mkdir {VOLUME}; mount /dev/sdv {VOLUME}")
    host.write_text("/opt/test/volume-check.sh", script_text("volume-check.sh"))
    return host


def check(pod: Sandbox, *arguments: str, interpreter: str = f"{BUSYBOX}/sh") -> Outcome:
    command = (interpreter, "/opt/test/volume-check.sh", *arguments)
    done: subprocess.CompletedProcess[str] = pod.call("env", f"PATH={BUSYBOX}", *command)
    return outcome(done)


def write(pod: Sandbox, *, size: int = 10 * MIB, text: str = "hello k8s") -> Outcome:
    return check(pod, "write", VOLUME, text, str(size))


def write_with(pod: Sandbox, tool: str, text: str) -> Outcome:
    """Like write, with the program `tool` replaced; busybox's own shell would not look for it."""
    pod.write_text(f"/opt/test/{tool}", f"#!/bin/sh\n{text}\n")
    pod.shell(f"chmod +x /opt/test/{tool}; ln -sf /opt/test/{tool} {BUSYBOX}/{tool}")
    return check(pod, "write", VOLUME, "hello k8s", str(10 * MIB), interpreter="/bin/sh")


def test_what_one_pod_writes_another_reads(pod: Sandbox) -> None:
    written = write(pod).result
    assert 7 * MIB < written["bytes"] <= 10 * MIB
    assert written["seconds"] >= 0
    pod.shell(f"umount {VOLUME}; mount /dev/sdv {VOLUME}")
    assert check(pod, "read", VOLUME, "hello k8s").result["bytes"] == len("hello k8s\n")
    assert pod.read_text(f"{VOLUME}/SUCCESS") == "hello k8s\n"


def test_the_volume_is_left_with_its_room_free(pod: Sandbox) -> None:
    free = pod.shell(f"df -k --output=avail {VOLUME}")
    write(pod)
    assert pod.shell(f"ls {VOLUME}").split() == ["SUCCESS", "lost+found"]
    used = int(free.split()[1]) - int(pod.shell(f"df -k --output=avail {VOLUME}").split()[1])
    assert used <= 4


def test_it_can_be_done_again_even_after_a_run_that_left_the_volume_full(pod: Sandbox) -> None:
    pod.shell(f"cat /dev/zero >{VOLUME}/filler || :")
    first = write(pod, text="one").result
    second = write(pod, text="two").result
    assert abs(first["bytes"] - second["bytes"]) < MIB
    assert check(pod, "read", VOLUME, "two").result


def test_a_volume_that_takes_more_than_its_size_is_refused(pod: Sandbox) -> None:
    # df is made to say half of what is there, as over a share that does not keep its size.
    refusal = write_with(pod, "df", 'busybox df "$@" | sed "s/ [0-9]\\{4\\} / 4000 /"').refusal
    assert "its size is not kept" in refusal
    assert pod.shell(f"ls {VOLUME}").split() == ["SUCCESS", "lost+found"]


def test_a_directory_bigger_than_the_volume_is_never_filled(pod: Sandbox) -> None:
    pod.shell(f"umount {VOLUME}")
    refusal = write(pod).refusal
    assert "Something else is mounted there" in refusal
    assert pod.shell(f"ls {VOLUME}") == ""


def test_a_failure_for_another_reason_is_not_taken_for_a_full_volume(pod: Sandbox) -> None:
    refusal = write_with(pod, "dd", "echo 'dd: Input/output error' >&2; exit 1").refusal
    assert "for another reason than its size: dd: Input/output error" in refusal


def test_other_text_than_was_written_is_an_error(pod: Sandbox) -> None:
    write(pod, text="token of this run")
    assert "does not hold what was written" in check(pod, "read", VOLUME, "another").refusal


def test_a_volume_without_the_file_is_an_error(pod: Sandbox) -> None:
    assert "SUCCESS is not there" in check(pod, "read", VOLUME, "hello k8s").refusal


@pytest.mark.parametrize("text", ["with 'quotes' and \"more\"", "$(touch x) `id` \\n %s", "-n", ""])
def test_any_text_is_taken_as_it_is(pod: Sandbox, text: str) -> None:
    assert json.loads(write(pod, text=text).stdout)["bytes"] > 0
    assert pod.read_text(f"{VOLUME}/SUCCESS") == text + "\n"
    assert check(pod, "read", VOLUME, text).status == 0


def test_what_is_stored_has_the_same_hash_after_a_way_through_another_device(pod: Sandbox) -> None:
    stored = check(pod, "store", VOLUME).result
    assert 3 * MIB < stored["bytes"] < 6 * MIB
    assert stored["sha256"] == pod.shell(f"sha256sum {VOLUME}/DATA").split()[0]
    pod.add_disk("sdw", 10 * MIB)
    pod.shell(f"umount {VOLUME}; cat /dev/sdv >/dev/sdw; mount /dev/sdw {VOLUME}")
    found = check(pod, "hash", VOLUME).result
    assert (found["bytes"], found["sha256"]) == (stored["bytes"], stored["sha256"])
    pod.shell(f"printf x | dd of={VOLUME}/DATA bs=1 seek=100 conv=notrunc")
    assert check(pod, "hash", VOLUME).result["sha256"] != stored["sha256"]


def test_what_is_stored_is_never_the_same(pod: Sandbox) -> None:
    first, second = (check(pod, "store", VOLUME).result["sha256"] for _ in range(2))
    assert first != second


def test_a_volume_without_what_was_stored_is_an_error(pod: Sandbox) -> None:
    assert "DATA is not there" in check(pod, "hash", VOLUME).refusal


def test_a_volume_that_has_no_room_for_it_says_so(pod: Sandbox) -> None:
    pod.shell(f"cat /dev/zero >{VOLUME}/other || :")
    assert "DATA could not be written" in check(pod, "store", VOLUME).refusal


@pytest.mark.parametrize("arguments", [(), ("write", VOLUME, "text"), ("erase", VOLUME)])
def test_a_wrong_call_is_explained(pod: Sandbox, arguments: tuple[str, ...]) -> None:
    assert "usage: volume-check.sh" in check(pod, *arguments).refusal
