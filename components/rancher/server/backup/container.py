"""The container that backs up Rancher's data on its schedule."""

from functools import partial
from pathlib import Path

import pulumi
import pulumi_docker as docker

from components.common.owner import MARK, this_stack
from components.docker.leftovers import OwnContainer, remove_left_container
from components.rancher.server.backup.reading import SCRIPT, backup_container
from components.rancher.server.clearance import clearing
from configuration.rancher import RancherSettings
from configuration.rancher_backup import RancherBackupSettings

# As in Rancher's own container: where the image declares a volume, Docker would fill a new one.
_DATA = "/var/lib/rancher"
_SOCKET = "/var/run/docker.sock"
_READY_SECONDS = 60
# Longer than the script gives Rancher to stop, and to be started again.
_GRACE_SECONDS = 180


def declare_backup(
    name: str,
    rancher: RancherSettings,
    backup: RancherBackupSettings,
    image: pulumi.Input[str],
    data: docker.ContainerVolumeArgs,
    opts: pulumi.ResourceOptions,
) -> docker.Container:
    """A container beside Rancher's that stops it, packs its data and starts it again.

    A container, and no timer of the host: the Docker engine is all that the program may use there,
    and it brings the container back after a reboot as it does Rancher. Rancher's own image has what
    is needed, so nothing else is pulled. It has no network; with Docker's socket it can do what
    Rancher's privileged container can.

    Args:
        rancher: Rancher's container and data.
        backup: When, and where to.
        image: Rancher's image, as its own container has it.
        data: Rancher's data, as its own container has it: a volume that is replaced lets go of
            both containers first.
    """
    command = [
        "loop",
        *(rancher.container_name, rancher.container_name, rancher.tag),
        *(str(backup.seconds_after_midnight), str(backup.period_seconds), str(backup.keep)),
    ]
    return docker.Container(
        name,
        name=backup_container(rancher.container_name),
        image=image,
        entrypoints=["sh", SCRIPT],
        command=command,
        restart="unless-stopped",
        network_mode="none",
        # SELinux lets no other container reach the socket.
        security_opts=["label=disable"],
        volumes=[
            docker.ContainerVolumeArgs(
                container_path=_DATA,
                read_only=True,
                host_path=data.host_path,
                volume_name=data.volume_name,
            ),
            docker.ContainerVolumeArgs(container_path="/backup", host_path=backup.folder),
            docker.ContainerVolumeArgs(
                container_path="/docker.sock", host_path=_socket(rancher, backup)
            ),
        ],
        labels=[docker.ContainerLabelArgs(label=MARK, value=this_stack())],
        uploads=[
            docker.ContainerUploadArgs(
                file=SCRIPT,
                content=(Path(__file__).parent / "backup.sh").read_text(),
                permissions="0755",
            )
        ],
        # Not first at the hour of the first backup: `up` ends when one could be made.
        healthcheck=docker.ContainerHealthcheckArgs(
            tests=["CMD", "sh", SCRIPT, "ready", rancher.container_name],
            interval="10s",
            timeout="10s",
            retries=3,
        ),
        wait=True,
        wait_timeout=_READY_SECONDS,
        destroy_grace_seconds=_GRACE_SECONDS,
        opts=pulumi.ResourceOptions.merge(
            opts,
            pulumi.ResourceOptions(
                hooks=pulumi.ResourceHookBinding(
                    before_create=[_clearance(f"{name}-clearance", rancher)]
                )
            ),
        ),
    )


def _clearance(name: str, rancher: RancherSettings) -> pulumi.ResourceHook:
    """Removes the container that an interrupted run has made."""
    own = OwnContainer(
        name=backup_container(rancher.container_name),
        stack=this_stack(),
        data=rancher.volume,
        data_path=_DATA,
    )
    where = (rancher.docker_host, rancher.docker_host_key)
    return clearing(name, own, partial(remove_left_container, *where, own))


def _socket(rancher: RancherSettings, backup: RancherBackupSettings) -> str:
    is_here = rancher.docker_host.startswith("unix://")
    own = rancher.docker_host.removeprefix("unix://") if is_here else _SOCKET
    return backup.docker_socket or own
