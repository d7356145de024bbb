"""A host that scripts run on: its address and the secrets that open it. Owns no resource."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from pulumi_command import remote

from components.common.owner import this_stack
from components.hosts.address import HostAddress, jump_address, node_address
from components.hosts.host_script import folder_of
from configuration.hosts import NodeSettings, SshSettings


@dataclass(frozen=True, kw_only=True)
class SshSecrets:
    """What opens the hosts; each is a secret Output or absent."""

    private_key: pulumi.Output[str] | None = None
    """The private key in OpenSSH or PEM form."""
    private_key_passphrase: pulumi.Output[str] | None = None
    """Passphrase of the private key."""
    password: pulumi.Output[str] | None = None
    """Password of the SSH user."""
    sudo_password: pulumi.Output[str] | None = None
    """What sudo asks a user for who is not root."""


@dataclass(frozen=True, kw_only=True)
class RemoteHost:
    """One host as remote commands see it."""

    name: str
    """What the host is called in messages and resource names."""
    user: str
    """Who logs in; anybody but root goes through sudo."""
    connection: remote.ConnectionArgs
    """Address, host key and credentials."""
    folder: str
    """Where the stack's scripts lie on it."""
    scripts: pulumi.Resource | None
    """What puts them there; None where none run."""
    sudo_password: pulumi.Output[str] | None = None
    """The password for sudo, if it needs one."""
    lost: bool = False
    """Whether the host is gone for good, so that no script can run there any more."""


def remote_host(
    node: NodeSettings, ssh: SshSettings, secrets: SshSecrets, scripts: pulumi.Resource | None
) -> RemoteHost:
    """The node as a host of remote commands.

    An absent host key reaches the connection only when the stack says so in as many words
    (settings refuse it otherwise): the command plugin then accepts whoever answers.
    """
    address, jump = node_address(node, ssh), jump_address(ssh)
    proxy = jump and remote.ProxyConnectionArgs(**_connection(jump, ssh, secrets))
    return RemoteHost(
        name=address.name,
        user=address.user,
        connection=remote.ConnectionArgs(**_connection(address, ssh, secrets), proxy=proxy),
        folder=folder_of(this_stack()),
        scripts=scripts,
        sudo_password=secrets.sudo_password,
        lost=node.lost,
    )


def _connection(address: HostAddress, ssh: SshSettings, secrets: SshSecrets) -> dict[str, Any]:
    return {
        "host": address.host,
        "port": address.port,
        "user": address.user,
        "host_key": address.host_key,
        "private_key": secrets.private_key,
        "private_key_password": secrets.private_key_passphrase,
        "password": secrets.password,
        "dial_error_limit": ssh.connect_attempts,
        "per_dial_timeout": ssh.connect_timeout_seconds,
    }


def private_key_from_file(path: str) -> pulumi.Output[str]:
    """The key in this file as a secret. The settings have checked that it can be read."""
    return pulumi.Output.secret(Path(path).expanduser().read_text())
