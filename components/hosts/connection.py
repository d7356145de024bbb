"""How a host is opened for reading: the same address, keys and host key as remote commands have."""

import os
from dataclasses import dataclass, field
from typing import Any

import asyncssh

from components.hosts.address import HostAddress


@dataclass(frozen=True, kw_only=True)
class HostCredentials:
    """What opens the hosts, in plain text; never part of a message or a resource."""

    private_key: str | None = field(default=None, repr=False)
    private_key_passphrase: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    sudo_password: str | None = field(default=None, repr=False)
    agent_path: str | None = None
    """Socket of the SSH agent, which has to be there; its keys count where no key is given."""


class CredentialsError(ValueError):
    """The credentials can't be used for any host; the message says why."""


class Opener:
    """Opens SSH connections with one set of credentials; the key is unlocked once for all."""

    def __init__(self, credentials: HostCredentials, connect_seconds: float) -> None:
        """Raises CredentialsError when the private key can't be used."""
        self._password = credentials.password
        self._agent_path = credentials.agent_path
        self._agent: asyncssh.SSHAgentClient | None = None
        self._seconds = connect_seconds
        self._keys: list[asyncssh.SSHKey] = []
        if credentials.private_key is not None:
            self._keys.append(
                _private_key(credentials.private_key, credentials.private_key_passphrase)
            )

    async def open(
        self, address: HostAddress, tunnel: asyncssh.SSHClientConnection | None
    ) -> asyncssh.SSHClientConnection:
        """Connect and log in, through the tunnel if there is one. Raises asyncssh.Error, OSError,
        TimeoutError, and CredentialsError where the agent is not there."""
        agent = await self._opened_agent()
        # As remote commands do: they try one set of keys, and the given key comes first.
        keys: list[Any] = self._keys or await _agent_keys(agent)
        return await asyncssh.connect(
            address.host,
            address.port,
            tunnel=tunnel or (),
            # Nothing of the person's own SSH configuration takes part: commands don't read it.
            config=None,
            username=address.user,
            client_keys=keys or None,
            agent_path=None,
            password=self._password,
            preferred_auth=("publickey", "password", "keyboard-interactive"),
            known_hosts=_known(address.host_key),
            # Of the ciphers that hosts have, these cost this machine the least, which counts
            # with hundreds of them; the others are still there for hosts that lack these.
            encryption_algs="^aes128-gcm@openssh.com,aes256-gcm@openssh.com",
            connect_timeout=self._seconds,
            login_timeout=self._seconds,
        )

    async def close(self) -> None:
        """Let go of the agent."""
        if self._agent is not None:
            self._agent.close()
            await self._agent.wait_closed()

    async def _opened_agent(self) -> asyncssh.SSHAgentClient | None:
        """The agent; None where no socket is named.

        Remote commands open the socket whatever key they have, and fail where they can't
        (pulumi-command 1.2.1, provider/pkg/provider/remote/connection.go).
        """
        if self._agent_path is None or self._agent is not None:
            return self._agent
        try:
            self._agent = await asyncssh.connect_agent(self._agent_path)
        except OSError as error:
            raise CredentialsError(
                f"no SSH agent answers at {self._agent_path} ({error.strerror or error}), and "
                "Pulumi's commands fail without it; unset SSH_AUTH_SOCK, or start the agent"
            ) from None
        return self._agent


async def _agent_keys(agent: asyncssh.SSHAgentClient | None) -> list[Any]:
    try:
        return list(await agent.get_keys()) if agent is not None else []
    except (OSError, ValueError, asyncssh.Error):
        return []


def agent_path() -> str | None:
    """Socket of the agent that remote commands use too, whenever there is one."""
    return os.environ.get("SSH_AUTH_SOCK") or None


def _private_key(text: str, passphrase: str | None) -> asyncssh.SSHKey:
    try:
        return asyncssh.import_private_key(text, passphrase)
    except (ValueError, asyncssh.Error) as error:
        raise CredentialsError(f"the private key can't be used: {error}") from None


def _known(host_key: str | None) -> Any:
    """What asyncssh trusts: this key and nothing else. None means anything at all."""
    if host_key is None:
        return None
    return ([asyncssh.import_public_key(host_key)], [], [])
