"""What hosts answer in unit tests: a healthy one, and changes to it."""

import copy
import json
from collections.abc import Mapping, Sequence
from typing import Any

from components.hosts.facts import AnswerModel, HostAnswer, parse_answer
from components.nodes.verdicts import CONTROL_PLANE, ControlPlaneVerdict, Verdict
from configuration.hosts import DiskSettings

UUID = "11111111-2222-3333-4444-555555555555"
SDB = DiskSettings.model_validate({"device": "/dev/sdb", "mountPoint": "/mnt/longhorn-sdb"})
SDC = DiskSettings.model_validate(
    {"device": "/dev/sdc", "mountPoint": "/mnt/longhorn-sdc", "fileSystem": "xfs"}
)
FSTAB_LINE = f"UUID={UUID} /mnt/longhorn-sdb ext4 defaults,nofail 0 2"
_FACTS: Mapping[str, Any] = {
    "hostname": "node-1",
    "kernel": "6.1.0-18-amd64",
    "os": {"id": "debian", "idLike": None},
    "packages": {"open-iscsi": "2.1.8-1", "nfs-common": "1:2.6.2-4", "e2fsprogs": "1.47.0-2"},
    "iscsid": True,
    "iscsidEnabled": True,
    "initiatorName": True,
    "iscsiadm": True,
    "multipathd": False,
    "tools": dict.fromkeys(
        ("bash", "curl", "findmnt", "grep", "awk", "blkid", "lsblk", "cryptsetup", "dmsetup"), True
    ),
    "modules": {"iscsi_tcp": "available", "dm_crypt": "loaded"},
    "nfs4InKernel": "m",
    "nfs4Loaded": False,
    "nfsDefaultVersion": None,
    "mountPropagation": "shared",
    "selinux": None,
    "imageManager": None,
}
_DISK: Mapping[str, Any] = {
    "is": "disk",
    "uuid": UUID,
    "fileSystem": "ext4",
    "mounted": True,
    "onRoot": False,
    "writable": True,
    "fstabLine": FSTAB_LINE,
    "immutable": True,
}
_VERDICT: Mapping[str, Any] = {"content": "own", "mounted": True, "inFstab": True}
HEALTHY = json.dumps(_VERDICT)
SCRIPTS_ARE_THERE = json.dumps({"missing": [], "changed": [], "open": False})
"""The line about the scripts of a stack that lie there as they should."""


def usable(**changes: Any) -> str:
    """The line about a disk that disk.sh would take."""
    return json.dumps({**_VERDICT, **changes})


def refused(found: str, remedy: str = "Do something.", missing_command: str | None = None) -> str:
    """The line about a disk that it would not take."""
    return json.dumps({"found": found, "remedy": remedy, "missingCommand": missing_command})


def disk_facts(disk: DiskSettings = SDB, **changes: Any) -> dict[str, Any]:
    """What the host tells about a disk that is mounted and well."""
    return {**_DISK, "device": disk.device, "mountPoint": disk.mount_point, **changes}


def said(
    disks: Sequence[Mapping[str, Any]] = (), verdicts: Sequence[str] = (), **changes: Any
) -> bytes:
    """Everything that a host prints."""
    facts = {**copy.deepcopy(dict(_FACTS)), **changes, "disks": [dict(disk) for disk in disks]}
    return "\n".join([json.dumps(facts), *verdicts, ""]).encode()


def answer(
    disk: Mapping[str, Any] | None = None,
    verdict: str = HEALTHY,
    control_plane: str | None = None,
    **changes: Any,
) -> HostAnswer:
    """The answer of a host with SDB as its only disk.

    Args:
        control_plane: the line about its control plane; None when nobody asked.
    """
    verdicts = [verdict] if control_plane is None else [verdict, control_plane]
    text = said([disk_facts() if disk is None else disk], verdicts, **changes)
    models: dict[str, type[AnswerModel]] = {SDB.mount_point: Verdict}
    if control_plane is not None:
        models[CONTROL_PLANE] = ControlPlaneVerdict
    return parse_answer(text, [SDB.mount_point], models)


def control_plane(*closed: str) -> str:
    """The line about a control plane that control-plane-health.sh would take."""
    return json.dumps({"kubernetes": "1.21.14", "closed": closed})
