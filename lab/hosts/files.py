"""What makes the shared base image into one particular host: names, keys, fstab, sudo rules.

Only decides which files a host has and writes them into its overlay's upper directory. It
starts nothing (lab.hosts.process) and makes no disks (lab.hosts.disks).
"""

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lab.hosts.base_image import USERS

SCRIPTS = Path(__file__).parent / "scripts"

_FSTAB = """\
# /etc/fstab: static file system information.
#
# <file system> <mount point>   <type>  <options>       <dump>  <pass>
tmpfs           /tmp            tmpfs   nosuid,nodev    0       0
"""

_SUDOERS = """\
operator ALL=(ALL:ALL) NOPASSWD: ALL
careful ALL=(ALL:ALL) ALL
"""

# A host has one key type, so that a pinned key is the one that any client is shown.
_SSHD = """\
HostKey /etc/ssh/ssh_host_ed25519_key
PasswordAuthentication no
Match User careful
    PasswordAuthentication yes
"""


@dataclass(frozen=True)
class HostFile:
    """A file of a host: its path without the leading slash, content and permissions."""

    path: str
    content: bytes
    mode: int = 0o644


def host_files(
    *, name: str, machine_id: str, host_key: bytes, client_public_key: bytes, neighbours: str
) -> list[HostFile]:
    """List every file that is this host's own.

    name: its hostname. machine_id: 32 hex digits. host_key: private key in OpenSSH form.
    client_public_key: the line that may log in as any user. neighbours: lines for /etc/hosts.
    """
    homes = ["root", *(f"home/{user}" for user in USERS)]
    return [
        HostFile("etc/hostname", f"{name}\n".encode()),
        HostFile("etc/hosts", f"127.0.0.1 localhost\n127.0.1.1 {name}\n{neighbours}".encode()),
        HostFile("etc/resolv.conf", b"# no name server: this host has no way out\n"),
        HostFile("etc/machine-id", f"{machine_id}\n".encode(), 0o444),
        HostFile("etc/fstab", _FSTAB.encode()),
        HostFile("etc/sudoers.d/lab", _SUDOERS.encode(), 0o440),
        HostFile("etc/ssh/sshd_config.d/lab.conf", _SSHD.encode()),
        HostFile("etc/ssh/ssh_host_ed25519_key", host_key, 0o600),
        *(HostFile(f"{home}/.ssh/authorized_keys", client_public_key, 0o600) for home in homes),
        *_scripts(),
    ]


def _scripts() -> Iterable[HostFile]:
    for script, target in (
        ("init.sh", "usr/lib/lab/init"),
        ("attach-disk.sh", "usr/lib/lab/attach-disk"),
        ("iscsid.sh", "usr/lib/lab/iscsid"),
        ("systemctl.sh", "usr/bin/systemctl"),
    ):
        yield HostFile(target, (SCRIPTS / script).read_bytes(), 0o755)


def write_host_files(files: Iterable[HostFile], upper: Path, base: Path) -> None:
    """Write files into an overlay's upper directory.

    Directories that the base image has keep its owner and mode (an upper directory's win over
    those of the lower one); a file belongs to the owner of the home or directory it is in.
    """
    for file in files:
        target = upper / file.path
        _make_parents(target.parent, upper, base)
        target.write_bytes(file.content)
        target.chmod(file.mode)
        owner = target.parent.stat()
        os.chown(target, owner.st_uid, owner.st_gid)


def _make_parents(directory: Path, upper: Path, base: Path) -> None:
    if directory.is_dir():
        return
    _make_parents(directory.parent, upper, base)
    directory.mkdir()
    model = base / directory.relative_to(upper)
    if model.is_dir():
        shutil.copystat(model, directory)
        owner = model.stat()
    else:
        directory.chmod(0o700 if directory.name == ".ssh" else 0o755)
        owner = directory.parent.stat()
    os.chown(directory, owner.st_uid, owner.st_gid)
