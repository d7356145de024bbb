"""What a prepared node with two disks says when it is read. Pure."""

import json

from components.nodes.findings import fstab_line
from configuration.hosts import DiskSettings

USER = "root"
DISKS = ["/mnt/longhorn-sdb", "/mnt/longhorn-sdc"]
_UUID = "11111111-2222-3333-4444-555555555555"
DISK_SETTINGS = [
    DiskSettings.model_validate({"device": f"/dev/{path[-3:]}", "mountPoint": path})
    for path in DISKS
]
_TOOLS = ("bash", "curl", "findmnt", "grep", "awk", "blkid", "lsblk", "cryptsetup", "dmsetup")


def healthy_answer(hostname: str = "node", *, scripts: bool = False) -> bytes:
    """One line of facts, one line for each disk, one about the scripts if they are asked about."""
    facts = {
        "hostname": hostname,
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
        "disks": [
            {
                "device": disk.device,
                "mountPoint": disk.mount_point,
                "is": "disk",
                "uuid": _UUID,
                "fileSystem": disk.file_system,
                "mounted": True,
                "onRoot": False,
                "writable": True,
                "fstabLine": fstab_line(_UUID, disk),
                "immutable": True,
            }
            for disk in DISK_SETTINGS
        ],
    }
    verdict = {"content": "own", "mounted": True, "inFstab": True}
    lines = [json.dumps(facts), *(json.dumps(verdict) for _ in DISK_SETTINGS)]
    if scripts:
        lines.append(json.dumps({"missing": [], "changed": [], "open": False}))
    return "".join(f"{line}\n" for line in lines).encode()
