"""Paths of a container in its command, and what a volume's file keeps."""

from pathlib import Path

import pytest

from lab.common import paths
from lab.longhorn.played_volumes import content
from lab.longhorn.played_volumes.jobs import placed

_PLACES = {
    "/dev/termination-log": Path("/t/termination-log"),
    "/volume": Path("/t/volume"),
    "/script": Path("/t/script"),
}


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("/volume", "/t/volume"),
        ("/volume/SUCCESS", "/t/volume/SUCCESS"),
        ("/script/volume-check.sh", "/t/script/volume-check.sh"),
        ('exec sh "$0" "$@" >/dev/termination-log', 'exec sh "$0" "$@" >/t/termination-log'),
        ("/volumes", "/volumes"),
        ("/other/volume", "/other/volume"),
        ("volume", "volume"),
    ],
)
def test_a_path_of_the_container_is_one_of_this_machine(word: str, expected: str) -> None:
    assert placed(word, _PLACES) == expected


def test_a_snapshot_keeps_what_was_there_and_goes_with_its_volume(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "STATE", tmp_path)
    image = content.ensure("v", 2**20)
    image.write_bytes(b"before")
    content.take_snapshot("v", "s", 2**20)
    image.write_bytes(b"after")
    assert content.snapshot("v", "s").read_bytes() == b"before"
    content.remove("v")
    assert not image.exists()
    assert not content.snapshot("v", "s").exists()
