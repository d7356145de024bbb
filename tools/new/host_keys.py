"""The SSH host keys of new hosts: those that the person trusts already, and those to be shown."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh

from components.hosts.address import HostAddress
from components.hosts.connection import CredentialsError, HostCredentials, Opener
from components.hosts.trouble import lacked_secret, reason
from configuration.secrets import Secret
from tools.new.apart import apart

_AT_ONCE = 32
_SECONDS = 15.0
_KINDS = (
    *("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"),
    *("sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"),
)
"""What a stack file takes of a node: the command plugin can't check an RSA key of today's hosts."""
_RSA = ("rsa-sha2-512", "rsa-sha2-256")

Place = tuple[str, int]
"""Address and port."""


@dataclass(frozen=True)
class HostKey:
    """What a host shows; without a key, why not."""

    key: str | None = None
    """As a stack file has it: type and key."""
    fingerprint: str = ""
    trusted: bool = False
    """Whether known_hosts has this very key for the host."""
    problem: str | None = None
    unreachable: bool = False
    """Whether no SSH server answered there."""


@dataclass(frozen=True)
class BehindJump:
    """What the hosts behind a jump host show; nothing where that one let nobody in."""

    keys: Mapping[Place, HostKey] = field(default_factory=dict[Place, HostKey])
    problem: str | None = None
    """Why nobody got through the jump host."""
    lacks: Secret | None = None
    """The secret that it wants, where that is why."""


def host_keys(hosts: Sequence[Place], known_hosts: Path) -> Mapping[Place, HostKey]:
    """What each host and port shows, asked at the same time; nobody logs in.

    Args:
        hosts: Address and port of each.
        known_hosts: The person's own file; it may be missing.
    """
    return apart(_all(list(dict.fromkeys(hosts)), _known(known_hosts), None))


def host_keys_behind(
    jump: HostAddress, credentials: HostCredentials, hosts: Sequence[Place], known_hosts: Path
) -> BehindJump:
    """What each host and port shows through the jump host, where alone somebody logs in.

    Args:
        jump: The jump host with its confirmed key.
        credentials: What opens it.
        hosts: Address and port of each, as the jump host reaches them.
        known_hosts: The person's own file; it may be missing.
    """
    return apart(_behind(jump, credentials, list(dict.fromkeys(hosts)), _known(known_hosts)))


def _known(path: Path) -> asyncssh.SSHKnownHosts | None:
    try:
        return asyncssh.read_known_hosts(str(path))
    except (OSError, ValueError):
        return None


async def _behind(
    jump: HostAddress,
    credentials: HostCredentials,
    hosts: Sequence[Place],
    known: asyncssh.SSHKnownHosts | None,
) -> BehindJump:
    opener = Opener(credentials, _SECONDS)
    try:
        tunnel = await opener.open(jump, None)
    except (OSError, asyncssh.Error, CredentialsError) as error:
        return BehindJump(problem=reason(error), lacks=lacked_secret(error))
    finally:
        await opener.close()
    try:
        return BehindJump(await _all(hosts, known, tunnel))
    finally:
        tunnel.abort()


async def _all(
    hosts: Sequence[Place],
    known: asyncssh.SSHKnownHosts | None,
    tunnel: asyncssh.SSHClientConnection | None,
) -> dict[Place, HostKey]:
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(host: str, port: int) -> HostKey:
        async with places:
            return await _shown(host, port, known, tunnel)

    found = await asyncio.gather(*(one(host, port) for host, port in hosts))
    return dict(zip(hosts, found, strict=True))


async def _shown(
    host: str,
    port: int,
    known: asyncssh.SSHKnownHosts | None,
    tunnel: asyncssh.SSHClientConnection | None,
) -> HostKey:
    listed = list(known.match(host, "", port)[0]) if known is not None else []
    trusted = [key for key in listed if key.get_algorithm() in _KINDS]
    # Of several kinds of keys that it has, a host shows the one that is asked for.
    kinds = dict.fromkeys([*(key.get_algorithm() for key in trusted), *_KINDS, *_RSA])
    asking = asyncssh.get_server_host_key(
        host, port, tunnel=tunnel, config=None, server_host_key_algs=list(kinds)
    )
    try:
        key = await asyncio.wait_for(asking, _SECONDS)
    except (OSError, asyncssh.Error) as error:
        return HostKey(
            problem=f"no host key of it could be read: {reason(error)}",
            unreachable=True,
        )
    if key is None:
        return HostKey(problem="it shows no host key")
    if key.get_algorithm() not in _KINDS:
        return HostKey(
            problem="it has no host key of type ed25519 or ecdsa; make one there with ssh-keygen "
            "-A, and restart its sshd"
        )
    if trusted and all(key.public_data != each.public_data for each in trusted):
        return HostKey(
            problem=f"it shows another host key ({key.get_fingerprint()}) than your known_hosts "
            "has; compare them on the host itself"
        )
    text = " ".join(key.export_public_key().decode().split()[:2])
    return HostKey(key=text, fingerprint=key.get_fingerprint(), trusted=bool(trusted))
