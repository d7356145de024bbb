"""Where a host is and who logs in there: the one rule for reading it and for running scripts."""

from dataclasses import dataclass

from configuration.hosts import NodeSettings, SshSettings


@dataclass(frozen=True, kw_only=True)
class HostAddress:
    """A host, or the jump host, and who logs in there."""

    name: str
    """What it is called in messages."""
    host: str
    port: int
    user: str
    host_key: str | None
    """The only key it may show; None accepts any, which settings allow only on request."""


def node_address(node: NodeSettings, ssh: SshSettings) -> HostAddress:
    """Where the node is read."""
    return HostAddress(
        name=node.name,
        host=node.host,
        port=node.port or ssh.port,
        user=node.user or ssh.user,
        host_key=node.host_key,
    )


def jump_address(ssh: SshSettings) -> HostAddress | None:
    """Where the jump host is, if there is one."""
    jump = ssh.jump_host
    return jump and HostAddress(
        name=f"jump host {jump.host}",
        host=jump.host,
        port=jump.port,
        user=jump.user or ssh.user,
        host_key=jump.host_key,
    )
