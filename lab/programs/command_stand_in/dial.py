"""Opening SSH connections the way the command plugin does.

Every failure to connect counts as one dial and is tried again, a refused host key or login as
much as an unreachable host, until `dialErrorLimit` retries have failed. What can't get better by
trying again (a key that can't be parsed, an SSH agent that isn't there) fails at once.
"""

import asyncio
import itertools
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import asyncssh

_FIRST_DELAY_SECONDS = 0.1
_BACKOFF = 1.5
_LONGEST_DELAY_SECONDS = 5.0

Endpoint = Mapping[str, Any]
"""One host's checked connection inputs, under their names in the program, no secrets wrapped."""

Report = Callable[[str], Awaitable[None]]
Opened = TypeVar("Opened")


class DialError(Exception):
    """A connection could not be opened; the text says why."""


@asynccontextmanager
async def connection(
    target: Endpoint, report: Report
) -> AsyncIterator[asyncssh.SSHClientConnection]:
    """A connection to the target, through its `proxy` where it has one.

    Args:
        target: the checked `connection` input.
        report: awaited with a line of text for every failed dial that will be tried again.

    Raises:
        DialError: the target or its proxy could not be reached or trusted.
    """
    options = await _options(target)
    proxy: Endpoint | None = target.get("proxy")
    if proxy is None:
        opened = await _retry("Dial", target, lambda: _connect(target, options), report)
        async with opened:
            yield opened
        return
    try:
        proxy_options = await _options(proxy)
        bridge = await _retry("Dial proxy", proxy, lambda: _connect(proxy, proxy_options), report)
    except DialError as error:
        raise DialError(f"proxy: {error}") from error
    async with bridge:
        through = {**options, "tunnel": bridge}
        try:
            opened = await _retry(
                "Dial from proxy", target, lambda: _connect(target, through), report
            )
        except DialError as error:
            raise DialError(f"proxy: {error}") from error
        async with opened:
            yield opened


async def _retry(
    what: str, endpoint: Endpoint, dial: Callable[[], Awaitable[Opened]], report: Report
) -> Opened:
    limit = int(endpoint["dialErrorLimit"])
    delay = _FIRST_DELAY_SECONDS
    for dials in itertools.count(1):
        try:
            return await dial()
        except DialError as error:
            if -1 < limit < dials:
                raise DialError(f"after {dials - 1} failed attempts: {error}") from error
        await report(f"{what} {dials}/{limit if limit > -1 else 'inf'} failed: retrying")
        await asyncio.sleep(delay)
        delay = min(delay * _BACKOFF, _LONGEST_DELAY_SECONDS)
    raise AssertionError("itertools.count has no end")


async def _connect(endpoint: Endpoint, options: Mapping[str, Any]) -> asyncssh.SSHClientConnection:
    host, port = endpoint["host"], int(endpoint["port"])
    limit = int(endpoint["perDialTimeout"]) or None
    try:
        return await asyncssh.connect(host, port, connect_timeout=limit, **options)
    except asyncssh.HostKeyNotVerifiable as error:
        raise DialError("ssh: handshake failed: ssh: host key mismatch") from error
    except asyncssh.PermissionDenied as error:
        raise DialError(
            "ssh: handshake failed: ssh: unable to authenticate: the host accepts none of the "
            "given keys and passwords"
        ) from error
    except asyncssh.ChannelOpenError as error:
        raise DialError(f"ssh: rejected: connect failed ({error.reason})") from error
    except asyncssh.Error as error:
        raise DialError(f"ssh: handshake failed: {error.reason}") from error
    except TimeoutError as error:
        raise DialError(f"dial tcp {host}:{port}: i/o timeout after {limit} s") from error
    except socket.gaierror as error:
        raise DialError(f"dial tcp: lookup {host}: {error.strerror}") from error
    except OSError as error:
        raise DialError(f"dial tcp {host}:{port}: connect: {_reason(error)}") from error


async def _options(endpoint: Endpoint) -> dict[str, Any]:
    """What asyncssh needs besides the address. Nothing is read from the person's ~/.ssh."""
    keys = await _keys(endpoint)
    password: str | None = endpoint.get("password")
    options: dict[str, Any] = {
        "username": endpoint["user"],
        "client_keys": keys,
        "password": password,
        "public_key_auth": bool(keys),
        "password_auth": password is not None,
        "kbdint_auth": password is not None,
        "preferred_auth": ["publickey", "password", "keyboard-interactive"],
        "config": None,
        "agent_path": None,
        "known_hosts": None,
    }
    host_key: str | None = endpoint.get("hostKey")
    if host_key is not None:
        try:
            pinned = asyncssh.import_public_key(host_key)
        except (asyncssh.KeyImportError, ValueError) as error:
            raise DialError(f"failed to parse host key: {error}") from error
        # The algorithm is pinned with the key, so that a host can't answer with another key.
        options["known_hosts"] = ([pinned], [], [])
        options["server_host_key_algs"] = [pinned.get_algorithm()]
    return options


async def _keys(endpoint: Endpoint) -> list[Any]:
    private_key: str | None = endpoint.get("privateKey")
    agent = endpoint.get("agentSocketPath") or os.environ.get("SSH_AUTH_SOCK")
    keys: list[Any] = []
    if agent is not None:
        try:
            keys += await (await asyncssh.connect_agent(agent)).get_keys()
        except OSError as error:
            raise DialError(f"dial unix {agent}: connect: {_reason(error)}") from error
    if private_key is not None:
        # A given key is used alone: the agent's are for connections without one.
        try:
            return [asyncssh.import_private_key(private_key, endpoint.get("privateKeyPassword"))]
        except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, ValueError) as error:
            raise DialError(f"the private key can't be used: {error}") from error
    return keys


def _reason(error: OSError) -> str:
    return os.strerror(error.errno).lower() if error.errno else str(error)
