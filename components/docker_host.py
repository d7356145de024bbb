"""How an ssh:// Docker engine is reached without trusting whoever answers. Pure."""

from collections.abc import Sequence

from configuration.rancher import RancherSettings


def ssh_options(rancher: RancherSettings) -> Sequence[str]:
    """Options for the ssh client that carries Docker's traffic; none for a local socket.

    The pinned host key is handed over by a command that prints it (KnownHostsCommand, OpenSSH
    8.5 or later), so no file is written and the machine's own known_hosts does not count.
    """
    if not rancher.docker_host.startswith("ssh://") or rancher.docker_host_key is None:
        return ()
    kind, key = rancher.docker_host_key.split()[:2]
    return (
        "-o",
        "StrictHostKeyChecking=yes",
        "-o",
        "UserKnownHostsFile=none",
        "-o",
        "GlobalKnownHostsFile=none",
        "-o",
        f"KnownHostsCommand=/bin/echo %H {kind} {key}",
        "-o",
        "BatchMode=yes",
    )
