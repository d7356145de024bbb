"""The stand-in writes backups in Longhorn's own form and reads them back, in a store in memory."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from obstore.store import MemoryStore

from lab.longhorn.manager_stand_in import backup_store
from lab.longhorn.manager_stand_in.backup_store import BackupStore, StoreError
from lab.longhorn.manager_stand_in.restoring import backup_of, restoring

MIB = 2**20
_KEYS = {"AWS_ACCESS_KEY_ID": "user", "AWS_SECRET_ACCESS_KEY": "password"}


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> BackupStore:
    memory = MemoryStore()
    monkeypatch.setattr(backup_store, "S3Store", lambda *_words, **_options: memory)
    return BackupStore("s3://bucket@region/", _KEYS)


def _write(store: BackupStore, folder: Path, name: str, data: bytes, volume: str = "v") -> None:
    image = folder / "image"
    image.write_bytes(data)
    backup: dict[str, Any] = {"Name": name, "VolumeName": volume, "CreatedTime": "now"}
    store.write(image, backup, {"Name": volume, "Size": str(len(data)), "Labels": {}})


def _restored(store: BackupStore, folder: Path, name: str, size: int) -> bytes:
    image = folder / "restored"
    image.write_bytes(bytes(size))
    store.restore(name, "v", image)
    return image.read_bytes()


def test_what_was_backed_up_comes_back_and_blank_blocks_take_no_room(
    store: BackupStore, tmp_path: Path
) -> None:
    data = bytes(2 * MIB) + b"one" + bytes(4 * MIB - 3) + b"two" + bytes(2 * MIB - 3)
    _write(store, tmp_path, "b", data)
    assert _restored(store, tmp_path, "b", len(data)) == data
    noted = store.backup("b", "v")
    assert noted is not None
    assert [block["Offset"] for block in noted["Blocks"]] == [2 * MIB, 6 * MIB]
    assert noted["Size"] == str(4 * MIB)


def test_a_backup_that_goes_takes_only_the_blocks_that_no_other_needs(
    store: BackupStore, tmp_path: Path
) -> None:
    shared, own = b"shared".ljust(2 * MIB, b"."), b"own".ljust(2 * MIB, b".")
    _write(store, tmp_path, "first", shared + own)
    _write(store, tmp_path, "second", shared)
    store.remove_backup("first", "v")
    assert store.backups("v") == {"second"}
    assert _restored(store, tmp_path, "second", 2 * MIB) == shared
    assert len(store._paths("backupstore/volumes")) == 3, "volume.cfg, its backup, its block"
    store.remove_volume("v")
    assert store.volumes() == set()


def test_a_volume_stands_below_the_first_digits_of_its_name_s_hash(
    store: BackupStore, tmp_path: Path
) -> None:
    _write(store, tmp_path, "b", b"data")
    digits = hashlib.sha512(b"v").hexdigest()
    folder = f"backupstore/volumes/{digits[:2]}/{digits[2:4]}/v"
    assert f"{folder}/volume.cfg" in store._paths("backupstore")
    assert f"{folder}/backups/backup_b.cfg" in store._paths("backupstore")


def test_a_broken_block_is_no_restore(store: BackupStore, tmp_path: Path) -> None:
    _write(store, tmp_path, "b", b"data")
    (block,) = (path for path in store._paths("backupstore") if path.endswith(".blk"))
    store._put(block, b"broken")
    with pytest.raises(StoreError, match="block"):
        _restored(store, tmp_path, "b", 2 * MIB)


def test_what_is_not_there_is_nothing_to_read_and_nothing_to_restore(
    store: BackupStore, tmp_path: Path
) -> None:
    assert store.volume("v") is None
    assert store.backup("b", "v") is None
    with pytest.raises(StoreError, match="cannot find backup b of volume v"):
        _restored(store, tmp_path, "b", 2 * MIB)


def test_a_secret_without_the_keys_is_told_as_longhorn_tells_it() -> None:
    with pytest.raises(StoreError, match=r"missing \[AWS_SECRET_ACCESS_KEY\] in the secret"):
        BackupStore("s3://bucket@region/", {"AWS_ACCESS_KEY_ID": "user"})


def test_a_backup_s_address_names_it_and_its_volume(store: BackupStore) -> None:
    url = store.backup_url("b", "v")
    assert url == "s3://bucket@region/?backup=b&volume=v"
    assert backup_of(url) == ("b", "v")


def test_a_volume_from_a_backup_has_the_backup_s_size() -> None:
    url = "s3://bucket@region/?backup=b&volume=v"
    assert restoring(url, {"b": {"status": {"volumeSize": "10485760"}}}) == {
        "fromBackup": url,
        "size": "10485760",
    }
    assert restoring(url, {}) is None
