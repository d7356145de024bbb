"""Helm's records of a release that an interrupted run left behind.

Helm keeps one Secret for each revision of a release. A run that dies while Helm works leaves one
that is `pending`, and Helm then refuses every later operation; one that dies before Pulumi has
recorded a new release leaves a name that Helm calls in use. Only such records are removed, never an
object of the release: the next operation takes those over, since they carry the release's name.
"""

import base64
import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from components.cluster.api import ClusterApi
from components.common.answers import listed, mapped

_PENDING = "pending-"
_KIND = re.compile(r"^kind: *(\w+)", re.MULTILINE)
_METADATA = re.compile(r"^metadata:\n((?:[ #].*\n|\n)+)", re.MULTILINE)
_NAME = re.compile(r"""name: *["']?([^"'\s]+)""")


@dataclass(frozen=True, kw_only=True)
class HelmRecord:
    """One revision of a release, as Helm's Secret says."""

    revision: int
    status: str
    """Such as deployed, failed, pending-install, superseded."""
    packed: str = ""
    """The whole record, as Helm packs it."""

    def objects(self) -> set[tuple[str, str]]:
        """Kind and name of each object of the revision, without those of hooks.

        Raises ValueError for a record that Helm did not pack.
        """
        # Kubernetes's own form of a Secret, Helm's, and gzip (helm, pkg/storage/driver/util.go).
        record = gzip.decompress(base64.b64decode(base64.b64decode(self.packed)))
        return {*_objects(str(json.loads(record)["manifest"]))}


def latest_record(cluster: ClusterApi, namespace: str, name: str) -> HelmRecord | None:
    """The newest revision of the release; None where Helm has none."""
    records = [
        HelmRecord(
            revision=int(record.metadata.labels["version"]),
            status=str(record.metadata.labels["status"]),
            packed=str(mapped(record.data).get("release") or ""),
        )
        for record in _records(cluster, namespace, name)
    ]
    return max(records, key=lambda record: record.revision, default=None)


def _objects(manifest: str) -> Iterator[tuple[str, str]]:
    """Without reading all of the YAML, of which definitions make a megabyte."""
    for document in re.split(r"^---", manifest, flags=re.MULTILINE):
        kind, metadata = _KIND.search(document), _METADATA.search(f"{document}\n")
        if kind is None or metadata is None:
            continue
        lines = [line for line in metadata[1].splitlines() if line.strip()]
        indent = min(len(line) - len(line.lstrip()) for line in lines)
        names = (_NAME.match(line[indent:]) for line in lines)
        yield from ((kind[1], name[1]) for name in names if name)


def forget_release(cluster: ClusterApi, namespace: str, name: str) -> list[str]:
    """Remove every record of the release, for a run that is about to install it.

    Returns what was removed, as `revision (status)`.
    """
    return _forget(cluster, namespace, name, "")


def forget_unfinished(cluster: ClusterApi, namespace: str, name: str) -> list[str]:
    """Remove the records of operations that never ended, for a run that is about to upgrade.

    Returns what was removed, as `revision (status)`.
    """
    return _forget(cluster, namespace, name, _PENDING)


def _forget(cluster: ClusterApi, namespace: str, name: str, status: str) -> list[str]:
    forgotten: list[str] = []
    for record in _records(cluster, namespace, name):
        labels = record.metadata.labels
        if str(labels["status"]).startswith(status):
            cluster.core.delete_namespaced_secret(record.metadata.name, namespace)
            forgotten.append(f"revision {labels['version']} ({labels['status']})")
    return forgotten


def _records(cluster: ClusterApi, namespace: str, name: str) -> list[Any]:
    found = cluster.core.list_namespaced_secret(namespace, label_selector=f"owner=helm,name={name}")
    return listed(found.items)
