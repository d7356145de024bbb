"""A preview sends texts that look: nothing in them can format, mount or write."""

import re

import pytest

from components.common.script_text import BENEATH, script_text
from components.hosts.question import host_question
from components.nodes.script_parts import (
    CONTROL_PLANE_HEALTH,
    DISK,
    arguments,
    possible_twins,
    questions,
)
from configuration.hosts import DiskSettings
from tests.unit.doubles.a_host import SDB, SDC

_QUESTION = host_question([SDB, SDC], questions([SDB, SDC], control_plane=True, stack="a/b"))
# The first word of a line, or behind an operator or a word of the shell that a command follows.
_CHANGING = re.compile(
    r"(?:^|&&|\|\|?|;|\{|!|\$\(|\b(?:then|do|else|if|while|until|exec)\s)\s*"
    r"(mkfs[.\w]*|u?mount|chattr|wipefs -a|dd [^|\n]*of=|mv|cp|rm|rmdir|mkdir|ln|tee|sed -i|"
    r"install|chmod|chown|swapon|flock|resize2fs|xfs_growfs|tune2fs|xfs_admin)\s",
    re.MULTILINE,
)
_WRITING = re.compile(r">>?\s*(\"[^\"]*\"|/[\w/.]+|\$\w+)")
# Tells a person how to clear a disk, and clears none.
_ADVICE = re.compile(r"^clearing_command\(\) \{.*?^\}", re.MULTILINE | re.DOTALL)


def _code(text: str) -> str:
    return _ADVICE.sub("", re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE))


def _changes(text: str) -> set[str]:
    return set(_CHANGING.findall(_code(text)))


def test_a_preview_sends_nothing_that_formats_mounts_or_changes_a_file() -> None:
    assert _changes(_QUESTION.replace(script_text(BENEATH), "")) == set()


def test_a_preview_writes_to_nothing_but_the_place_where_a_fresh_fstab_would_go() -> None:
    code = _code(_QUESTION)
    assert set(_WRITING.findall(code)) == {"/dev/null", '"$2"'}
    places = re.findall(r"compose_fstab (?:''|\"[^\n]*?\") (\S+) ", code)
    assert places
    assert set(places) == {"/dev/null"}


def test_the_one_mount_that_a_preview_makes_is_in_a_name_space_of_its_own() -> None:
    lines = [line.strip() for line in script_text(BENEATH).splitlines() if "mount -" in line]
    assert lines == ['mount --make-rprivate / && mount --bind "$1" /run || exit']
    assert "unshare -m sh -c '\n        mount --make-rprivate /" in script_text(BENEATH)


@pytest.mark.parametrize(
    ("parts", "seen"),
    [(DISK, {"umount", "mount", "mkdir", "mv", "rm"}), (CONTROL_PLANE_HEALTH, {"mv", "cp", "rm"})],
)
def test_the_same_look_at_a_run_finds_what_it_changes(
    parts: tuple[str, ...], seen: set[str]
) -> None:
    assert _changes(script_text(*parts)) >= seen


def test_a_question_names_no_owner_and_no_more_words_than_it_has() -> None:
    assert arguments(SDB) == ("/dev/sdb", "/mnt/longhorn-sdb", "ext4")
    assert arguments(SDB, owner="a/b c")[3:] == ("", "a/b c")


def test_two_names_that_the_kernel_gives_are_never_one_disk_and_links_may_be() -> None:
    link, other = (
        DiskSettings.model_validate({"device": device, "mountPoint": f"/mnt/{key}"})
        for key, device in (("a", "/dev/disk/by-id/wwn-0x5"), ("b", "/dev/disk/by-id/scsi-3"))
    )
    assert possible_twins(SDB, [SDB, SDC]) == []
    assert possible_twins(SDB, [SDB, SDC, link]) == [link.device]
    assert possible_twins(link, [SDB, link, other]) == [SDB.device, other.device]
