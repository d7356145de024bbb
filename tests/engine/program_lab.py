"""Stacks of the real program on hosts of the lab, for the engine tests."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from lab.hosts import hosts
from lab.hosts.hosts import HostHandle

# The lab's hosts run on this machine's kernel, whatever it can do.
ACCEPTED = ["nfsKernelSupport", "iscsiModule", "encryptionTools"]
NO_CLUSTER = {"labels": False, "longhorn": False, "frontend": False, "rancher": False}
DISKS = [
    {"device": "/dev/sdb", "mountPoint": "/mnt/longhorn-sdb"},
    {"device": "/dev/sdc", "mountPoint": "/mnt/longhorn-sdc"},
]


def node(host: HostHandle, **changes: Any) -> dict[str, Any]:
    """The host as a node of the stack file."""
    return {"name": host.name, "host": host.address, "hostKey": host.host_key, **changes}


def hosts_only(
    handles: Sequence[HostHandle],
    *,
    ssh: Mapping[str, Any] | None = None,
    nodes: Sequence[Mapping[str, Any]] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """A stack's configuration with packages and disks alone, as far as no cluster is needed."""
    return {
        "cluster": {"name": "test"},
        "stages": NO_CLUSTER,
        "checks": {"accept": ACCEPTED},
        "ssh": {
            "user": "root",
            "privateKeyFile": str(handles[0].client_key_path),
            "connectAttempts": 2,
            "connectTimeoutSeconds": 5,
            **(ssh or {}),
        },
        "nodeDefaults": {"disks": DISKS},
        "nodes": [dict(each) for each in (nodes or [node(host) for host in handles])],
        **more,
    }


def on_host(host: HostHandle, command: str, stdin: str | None = None) -> str:
    """Standard output of a command in the host; an AssertionError if it fails."""
    done = hosts.run(host.name, command, stdin)
    assert done.returncode == 0, f"{host.name}: {command}: {done.stderr}"
    return done.stdout.strip()


def whole_disk_hash(host: HostHandle, device: str) -> str:
    """SHA-256 over every byte of the disk."""
    return on_host(host, f"sha256sum {device} | cut -d' ' -f1")


def mounts(host: HostHandle) -> dict[str, str]:
    """UUID by mount point of what is mounted below /mnt."""
    listed = hosts.run(host.name, "findmnt -rno TARGET,UUID | grep '^/mnt/'").stdout
    return dict(line.split() for line in listed.splitlines())


def write_file(host: HostHandle, path: str) -> str:
    """Write a file with known contents; returns their hash."""
    text = base64.b64encode(hashlib.sha512(path.encode()).digest() * 1000).decode()
    on_host(host, f"cat > {path} && sync {path}", text)
    return hashlib.sha256(text.encode()).hexdigest()


def replaced(device: str, mount_point: str) -> str:
    """A command that leaves a blank disk in place of a mounted one, as after a dead disk."""
    return (
        f"umount {mount_point} && "
        f"head -c $(blockdev --getsize64 {device}) /dev/zero > {device} && sync {device}"
    )


def file_hash(host: HostHandle, path: str) -> str:
    """SHA-256 of a file in the host."""
    return on_host(host, f"sha256sum {path} | cut -d' ' -f1")
