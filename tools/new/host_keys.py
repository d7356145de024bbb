"""The SSH host keys of new hosts: those that the person trusts already, and those to be shown."""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import asyncssh

_AT_ONCE = 32
_SECONDS = 15.0


@dataclass(frozen=True)
class HostKey:
    """What a host shows; without a key, why not."""

    key: str | None = None
    """As a stack file has it: type and key."""
    fingerprint: str = ""
    trusted: bool = False
    """Whether known_hosts has this very key for the host."""
    problem: str | None = None


def host_keys(
    hosts: Sequence[tuple[str, int]], known_hosts: Path
) -> Mapping[tuple[str, int], HostKey]:
    """What each host and port shows, asked at the same time; nobody logs in.

    Args:
        hosts: Address and port of each.
        known_hosts: The person's own file; it may be missing.
    """
    asking = _all(list(dict.fromkeys(hosts)), _known(known_hosts))
    # Pulumi's SDK counts on the loop of the main thread, so this one gets a thread of its own.
    with ThreadPoolExecutor(max_workers=1) as apart:
        return apart.submit(asyncio.run, asking).result()


def _known(path: Path) -> asyncssh.SSHKnownHosts | None:
    try:
        return asyncssh.read_known_hosts(str(path))
    except (OSError, ValueError):
        return None


async def _all(
    hosts: Sequence[tuple[str, int]], known: asyncssh.SSHKnownHosts | None
) -> dict[tuple[str, int], HostKey]:
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(host: str, port: int) -> HostKey:
        async with places:
            return await _shown(host, port, known)

    found = await asyncio.gather(*(one(host, port) for host, port in hosts))
    return dict(zip(hosts, found, strict=True))


async def _shown(host: str, port: int, known: asyncssh.SSHKnownHosts | None) -> HostKey:
    trusted = list(known.match(host, "", port)[0]) if known is not None else []
    # Of several kinds of keys that it has, a host shows the one that is asked for.
    kinds = [kind.decode() for key in trusted for kind in key.sig_algorithms]
    try:
        key = await asyncio.wait_for(
            asyncssh.get_server_host_key(host, port, config=None, server_host_key_algs=kinds or ()),
            _SECONDS,
        )
    except (OSError, asyncssh.Error) as error:
        return HostKey(problem=f"no host key of it could be read: {error or 'no answer in time'}")
    if key is None:
        return HostKey(problem="it shows no host key")
    if trusted and all(key.public_data != each.public_data for each in trusted):
        return HostKey(
            problem=f"it shows another host key ({key.get_fingerprint()}) than your known_hosts "
            "has; compare them on the host itself"
        )
    text = " ".join(key.export_public_key().decode().split()[:2])
    return HostKey(key=text, fingerprint=key.get_fingerprint(), trusted=bool(trusted))
