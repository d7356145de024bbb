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
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import yaml

from components.cluster.api import ClusterApi
from components.common.answers import listed, mapped

DEPLOYED, FAILED = "deployed", "failed"
_PENDING = "pending-"
_KIND = re.compile(r"^kind: *(\w+)", re.MULTILINE)
# libyaml's where PyYAML came with it: ten times as fast.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, kw_only=True)
class HelmRecord:
    """One revision of a release, as Helm's Secret says."""

    revision: int
    status: str
    """Such as deployed, failed, pending-install, superseded."""
    packed: str = field(default="", repr=False)
    """The whole record, as Helm packs it; the secret values of the release are in it."""

    def objects(self, kinds: Collection[str]) -> list[dict[str, Any]]:
        """The revision's objects of these kinds, as its manifest has them, without those of hooks.

        Raises ValueError for a record that Helm did not pack.
        """
        # Kubernetes's own form of a Secret, Helm's, and gzip (helm, pkg/storage/driver/util.go).
        record = gzip.decompress(base64.b64decode(base64.b64decode(self.packed)))
        # Most of a manifest are definitions, a megabyte of YAML that nobody needs here.
        documents = re.split(r"^---", str(json.loads(record)["manifest"]), flags=re.MULTILINE)
        kinds_of = ((_KIND.search(document), document) for document in documents)
        return [
            yaml.load(document, Loader=_LOADER)  # noqa: S506  one of the two safe ones
            for kind, document in kinds_of
            if kind and kind[1] in kinds
        ]


def latest_record(cluster: ClusterApi, namespace: str, name: str) -> HelmRecord | None:
    """The newest revision of the release; None where Helm has none."""
    return max(_revisions(cluster, namespace, name), key=_revision, default=None)


def newest_installed(cluster: ClusterApi, namespace: str, name: str) -> HelmRecord | None:
    """The revision that Helm calls deployed, also after later ones have failed; None for none."""
    found = _revisions(cluster, namespace, name)
    return max((each for each in found if each.status == DEPLOYED), key=_revision, default=None)


def _revision(record: HelmRecord) -> int:
    return record.revision


def _revisions(cluster: ClusterApi, namespace: str, name: str) -> list[HelmRecord]:
    return [
        HelmRecord(
            revision=int(record.metadata.labels["version"]),
            status=str(record.metadata.labels["status"]),
            packed=str(mapped(record.data).get("release") or ""),
        )
        for record in _records(cluster, namespace, name)
    ]


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
