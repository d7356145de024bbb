"""Who may log in to a lab host, and how a client knows that it is that host.

One client key opens every host for every user; each host has a key of its own, made with its root.
"""

import secrets
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from lab.hosts import network as host_network
from lab.hosts.files import host_files, write_host_files
from lab.hosts.process import SSH_PORT
from lab.hosts.record import HostRecord


@dataclass(frozen=True)
class HostHandle:
    """How to reach a lab host.

    host_key: the server's public key, "ssh-ed25519 AAAA…". user: who logs in by default.
    disks: its blank disks' paths in the host. careful_password: what sshd and sudo ask
    `careful` for.
    """

    name: str
    address: str
    ssh_port: int
    host_key: str
    client_key_path: Path
    user: str
    disks: tuple[str, ...]
    careful_password: str


def furnish(record: HostRecord, directory: Path, base: Path) -> None:
    """Write a host's own files before its first boot; afterwards they are the host's affair."""
    if (directory / "upper").exists():
        return
    key = asyncssh.generate_private_key("ssh-ed25519", comment=record.name)
    files = host_files(
        name=record.name,
        machine_id=uuid.uuid4().hex,
        host_key=key.export_private_key("openssh"),
        client_public_key=_client_key(directory.parent).with_suffix(".pub").read_bytes(),
        neighbours=f"{host_network.gateway()} lab\n",
    )
    unfinished = directory / "upper.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    write_host_files(files, unfinished, base)
    (directory / "host_key.pub").write_bytes(key.export_public_key("openssh"))
    unfinished.rename(directory / "upper")


def handle_of(record: HostRecord, directory: Path) -> HostHandle:
    """The handle of a furnished host."""
    key = (directory / "host_key.pub").read_text().split()
    return HostHandle(
        name=record.name,
        address=record.address,
        ssh_port=SSH_PORT,
        host_key=f"{key[0]} {key[1]}",
        client_key_path=_client_key(directory.parent),
        user="root",
        disks=record.devices,
        careful_password=careful_password(directory.parent),
    )


def careful_password(hosts: Path) -> str:
    """What every host asks the user `careful` for, at login and for sudo, made on first use."""
    path = hosts / "careful_password"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(12))
    return path.read_text()


def _client_key(hosts: Path) -> Path:
    """The key that may log in to every host, made on first use."""
    path = hosts / "client_key"
    if not path.exists():
        key = asyncssh.generate_private_key("ssh-ed25519", comment="lab")
        path.touch(mode=0o600)
        path.with_suffix(".pub").write_bytes(key.export_public_key("openssh"))
        path.write_bytes(key.export_private_key("openssh"))
    return path
