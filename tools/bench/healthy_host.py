"""What a prepared node with two disks says when it is read. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from components.nodes.findings import fstab_line
from configuration.hosts import DiskSettings

USER = "root"
DISKS = ["/mnt/longhorn-sdb", "/mnt/longhorn-sdc"]
UUID = "11111111-2222-3333-4444-555555555555"
DISK_SETTINGS = [
    DiskSettings.model_validate({"device": f"/dev/{path[-3:]}", "mountPoint": path})
    for path in DISKS
]
_TOOLS = ("bash", "curl", "findmnt", "grep", "awk", "blkid", "lsblk", "cryptsetup", "dmsetup")
FACTS: Mapping[str, Any] = {
    "kernel": "6.1.0-18-amd64",
    "os": {"id": "debian", "idLike": None},
    "packages": {"open-iscsi": "2.1.8-1", "nfs-common": "1:2.6.2-4", "e2fsprogs": "1.47.0-2"},
    "iscsid": True,
    "iscsidEnabled": True,
    "initiatorName": True,
    "iscsiadm": True,
    "multipathd": False,
    "tools": dict.fromkeys(_TOOLS, True),
    "modules": {"iscsi_tcp": "loaded", "dm_crypt": "loaded"},
    "nfs4InKernel": "m",
    "nfs4Loaded": True,
    "nfsDefaultVersion": None,
    "mountPropagation": "shared",
    "selinux": None,
    "imageManager": None,
}
"""All but its name and its disks."""
VERDICT: Mapping[str, Any] = {"content": "own", "mounted": True, "inFstab": True}
"""What disk.sh says of each of its disks."""
SCRIPTS_ARE_THERE = json.dumps({"missing": [], "changed": [], "open": False})
"""The line about the scripts of a stack that lie there as they should."""


def disk_facts(disk: DiskSettings) -> dict[str, Any]:
    """What it tells about a disk that is mounted and well."""
    return {
        "device": disk.device,
        "mountPoint": disk.mount_point,
        "is": "disk",
        "uuid": UUID,
        "fileSystem": disk.file_system,
        "mounted": True,
        "onRoot": False,
        "writable": True,
        "fstabLine": fstab_line(UUID, disk),
        "immutable": True,
    }


def healthy_answer(hostname: str = "node", *, scripts: bool = False) -> bytes:
    """One line of facts, one line for each disk, one about the scripts if they are asked about."""
    facts = {**FACTS, "hostname": hostname, "disks": [disk_facts(disk) for disk in DISK_SETTINGS]}
    lines = [json.dumps(facts), *(json.dumps(VERDICT) for _ in DISK_SETTINGS)]
    if scripts:
        lines.append(SCRIPTS_ARE_THERE)
    return "".join(f"{line}\n" for line in lines).encode()
