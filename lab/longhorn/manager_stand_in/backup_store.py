"""Backups in an object store, in the form of Longhorn's own (longhorn/backupstore, as vendored by
longhorn-manager v1.5.3): blocks of 2 MiB by their hash, each once for all backups of a volume.

Played is a target of S3, with the credentials that the manager takes from the Secret. Not played
are other kinds of store, lz4 (blocks are gzip, which Longhorn reads, too), locks, proxies and
incremental backups as such: a block that is there is not written again, whichever backup did.
"""

import gzip
import hashlib
import json
import zlib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Config

_BLOCK_BYTES = 2 * 2**20
_BASE = "backupstore/volumes"
_REQUIRED = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_SECONDS = timedelta(seconds=10)

Config = dict[str, Any]


class StoreError(RuntimeError):
    """What the store, or Longhorn before it asks, answers."""


class BackupStore:
    """One backup target, opened; raises StoreError with the store's words where it refuses."""

    def __init__(self, url: str, credentials: Mapping[str, str]) -> None:
        """Open it, without asking anything yet.

        Args:
            url: such as s3://bucket@region/folder.
            credentials: the entries of the Secret.
        """
        parts = urlsplit(url)
        if parts.scheme != "s3":
            raise StoreError(f"the lab plays no backup target of the kind {parts.scheme}")
        missing = [name for name in _REQUIRED if not credentials.get(name)]
        if missing:
            # engineapi/backups.go, getBackupCredentialEnv
            raise StoreError(f"could not backup to s3, missing [{' '.join(missing)}] in the secret")
        self.url = url
        bucket, _, region = parts.netloc.partition("@")
        endpoint = credentials.get("AWS_ENDPOINTS", "")
        options: ClientConfig = {"allow_http": endpoint.startswith("http://"), "timeout": _SECONDS}
        if credentials.get("AWS_CERT"):
            options["root_certificate"] = credentials["AWS_CERT"]
        config: S3Config = {
            "access_key_id": credentials["AWS_ACCESS_KEY_ID"],
            "secret_access_key": credentials["AWS_SECRET_ACCESS_KEY"],
            "region": region or "us-east-1",
            "virtual_hosted_style_request": credentials.get("VIRTUAL_HOSTED_STYLE") == "true",
        }
        if endpoint:
            config["endpoint"] = endpoint
        self._store = S3Store(
            bucket,
            prefix=parts.path.strip("/") or None,
            config=config,
            client_options=options,
            retry_config={"max_retries": 0},
        )

    def volumes(self) -> set[str]:
        """The names of the volumes that have something in it."""
        try:
            found = [
                meta["path"].split("/")
                for batch in obstore.list(self._store, prefix=_BASE)
                for meta in batch
            ]
        except BaseError as error:
            raise StoreError(f"error listing backup volume names: {_words(error)}") from error
        return {parts[4] for parts in found if len(parts) > 5}

    def backups(self, volume: str) -> set[str]:
        """The names of a volume's backups."""
        folder = f"{_folder(volume)}/backups/"
        return {
            path.removeprefix(f"{folder}backup_").removesuffix(".cfg")
            for path in self._paths(folder)
        }

    def volume(self, name: str) -> Config | None:
        """What is noted of a volume."""
        return self._read(f"{_folder(name)}/volume.cfg")

    def backup(self, name: str, volume: str) -> Config | None:
        """What is noted of a backup."""
        return self._read(_backup_path(name, volume))

    def backup_url(self, name: str, volume: str) -> str:
        """A backup as Longhorn names it."""
        return f"{self.url}?{urlencode({'backup': name, 'volume': volume})}"

    def write(self, image: Path, backup: Config, volume: Config) -> None:
        """Write a backup of a snapshot, and note it.

        Args:
            image: the snapshot's file.
            backup: Name, VolumeName, SnapshotName, SnapshotCreatedAt, CreatedTime and Labels.
            volume: Name, Size, Labels and CreatedTime of the volume.
        """
        name, folder = str(volume["Name"]), _folder(str(volume["Name"]))
        there = set(self._paths(f"{folder}/blocks/"))
        blocks: list[Config] = []
        with image.open("rb") as content:
            offset = 0
            while block := content.read(_BLOCK_BYTES):
                if block.strip(b"\0"):
                    checksum = _checksum(block)
                    path = _block_path(folder, checksum)
                    if path not in there:
                        self._put(path, gzip.compress(block))
                        there.add(path)
                    blocks.append({"Offset": offset, "BlockChecksum": checksum})
                offset += len(block)
        noted = {
            **backup,
            "Size": str(len(blocks) * _BLOCK_BYTES),
            "IsIncremental": False,
            "CompressionMethod": "gzip",
            "Blocks": blocks,
        }
        self._put(_backup_path(str(backup["Name"]), name), json.dumps(noted).encode())
        last = {"LastBackupName": backup["Name"], "LastBackupAt": backup["CreatedTime"]}
        counted = {"BlockCount": str(len(there)), "CompressionMethod": "gzip"}
        self._put(f"{folder}/volume.cfg", json.dumps({**volume, **last, **counted}).encode())

    def restore(self, name: str, volume: str, image: Path) -> None:
        """Write a backup's content into a file of the volume's size."""
        backup = self.backup(name, volume)
        if backup is None:
            raise StoreError(f"cannot find backup {name} of volume {volume} in backupstore")
        with image.open("r+b") as content:
            for block in backup["Blocks"]:
                path = _block_path(_folder(volume), block["BlockChecksum"])
                data = self._block(path)
                if _checksum(data) != block["BlockChecksum"]:
                    raise StoreError(f"block {path} is not what its name says")
                content.seek(block["Offset"])
                content.write(data)

    def remove_backup(self, name: str, volume: str) -> None:
        """Remove a backup, and the blocks that no other of the volume needs."""
        self._delete([_backup_path(name, volume)])
        folder = _folder(volume)
        left = [self.backup(each, volume) for each in self.backups(volume)]
        needed = {
            _block_path(folder, block["BlockChecksum"])
            for backup in left
            if backup is not None
            for block in backup["Blocks"]
        }
        self._delete([p for p in self._paths(f"{folder}/blocks/") if p not in needed])
        noted = self.volume(volume)
        if noted is not None and noted.get("LastBackupName") == name:
            noted |= {"LastBackupName": "", "LastBackupAt": ""}
            self._put(f"{folder}/volume.cfg", json.dumps(noted).encode())

    def remove_volume(self, name: str) -> None:
        """Remove all of a volume's backups."""
        self._delete(self._paths(f"{_folder(name)}/"))

    def _paths(self, prefix: str) -> list[str]:
        try:
            return [
                meta["path"] for batch in obstore.list(self._store, prefix=prefix) for meta in batch
            ]
        except BaseError as error:
            raise StoreError(f"failed to list objects below {prefix}: {_words(error)}") from error

    def _read(self, path: str) -> Config | None:
        try:
            return dict(json.loads(bytes(obstore.get(self._store, path).bytes())))
        except FileNotFoundError:
            return None
        except BaseError as error:
            raise StoreError(f"failed to get object {path}: {_words(error)}") from error

    def _block(self, path: str) -> bytes:
        try:
            return gzip.decompress(bytes(obstore.get(self._store, path).bytes()))
        except FileNotFoundError:
            raise StoreError(f"failed to get object {path}: it is not there") from None
        except BaseError as error:
            raise StoreError(f"failed to get object {path}: {_words(error)}") from error
        except (OSError, EOFError, zlib.error) as error:
            raise StoreError(f"block {path} can't be read: {error}") from error

    def _put(self, path: str, data: bytes) -> None:
        try:
            obstore.put(self._store, path, data)
        except BaseError as error:
            raise StoreError(f"failed to put object {path}: {_words(error)}") from error

    def _delete(self, paths: list[str]) -> None:
        try:
            for path in paths:
                # One that is gone already is no error in S3.
                obstore.delete(self._store, path)
        except BaseError as error:
            raise StoreError(f"failed to delete object: {_words(error)}") from error


def _folder(volume: str) -> str:
    layers = hashlib.sha512(volume.encode()).hexdigest()
    return f"{_BASE}/{layers[:2]}/{layers[2:4]}/{volume}"


def _backup_path(name: str, volume: str) -> str:
    return f"{_folder(volume)}/backups/backup_{name}.cfg"


def _block_path(folder: str, checksum: str) -> str:
    return f"{folder}/blocks/{checksum[:2]}/{checksum[2:4]}/{checksum}.blk"


def _checksum(block: bytes) -> str:
    return hashlib.sha512(block).hexdigest()[:64]


def _words(error: BaseError) -> str:
    told = str(error).partition("Debug source")[0]
    return " ".join(told.split())[:600]
