"""The Rancher server as a container."""

from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from components.bootstrap_password import GeneratedPassword
from configuration.rancher import RancherSettings

_DATA = "/var/lib/rancher"
_HTTP, _HTTPS = 80, 443


@dataclass(frozen=True, kw_only=True)
class RancherServerArgs:
    """Which server runs where."""

    rancher: RancherSettings
    """Address, image, ports, data volume."""
    bootstrap_password: pulumi.Output[str] | None
    """The first password of user admin (secret); None generates one."""


class RancherServer(pulumi.ComponentResource):
    """Owns the container and its image; up once Rancher answers /ping.

    Refuses to own the data: the volume is kept on destroy unless the stack file asks for its
    removal in as many words, because it holds Rancher's users, clusters and CA, and every agent
    would have to be registered anew without it.
    Source: Rancher 2.8, Installing Rancher on a Single Node Using Docker.
    """

    url: pulumi.Output[str]
    """Rancher's address, known once the server answers."""
    container_id: pulumi.Output[str]
    """Docker's id of the container."""
    bootstrap_password: pulumi.Output[str]
    """First password of user admin, secret; Rancher reads it only while it has no users."""

    def __init__(
        self, name: str, args: RancherServerArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("longhornrancher:rancher:Server", name, None, opts)
        rancher = args.rancher
        self.bootstrap_password = pulumi.Output.secret(
            args.bootstrap_password
            or GeneratedPassword(
                f"{name}-bootstrap-password", pulumi.ResourceOptions(parent=self)
            ).value
        )
        container = self._container(name, rancher)
        self.container_id = container.id
        self.url = container.id.apply(lambda _: rancher.url)
        self.register_outputs({"url": self.url, "bootstrapPassword": self.bootstrap_password})

    def _container(self, name: str, rancher: RancherSettings) -> docker.Container:
        reference = f"{rancher.image}:{rancher.tag}"
        image: pulumi.Input[str] = reference
        if rancher.pull_image:
            # By id and not by name: a name that resolves anew would replace the container.
            image = docker.RemoteImage(
                f"{name}-image",
                name=reference,
                keep_locally=True,
                opts=pulumi.ResourceOptions(parent=self),
            ).image_id
        timeout = f"{rancher.start_timeout_seconds + 60}s"
        return docker.Container(
            f"{name}-container",
            name=rancher.container_name,
            image=image,
            privileged=True,
            restart="unless-stopped",
            # Without an explicit mode the engine's answer differs from the input at every preview.
            network_mode="bridge",
            envs=[pulumi.Output.concat("CATTLE_BOOTSTRAP_PASSWORD=", self.bootstrap_password)],
            ports=[
                _port(rancher.http_port, _HTTP, rancher.listen_address),
                _port(rancher.https_port, _HTTPS, rancher.listen_address),
            ],
            volumes=[self._data(name, rancher)],
            healthcheck=docker.ContainerHealthcheckArgs(
                tests=["CMD", "curl", "-ksfo", "/dev/null", "https://localhost/ping"],
                interval="5s",
                timeout="5s",
                start_period=engine_duration(rancher.start_timeout_seconds),
                retries=3,
            ),
            wait=True,
            wait_timeout=rancher.start_timeout_seconds,
            # Rancher's k3s writes its state when it is told to stop.
            destroy_grace_seconds=60,
            opts=pulumi.ResourceOptions(
                parent=self,
                # Its name and ports are fixed, so the old one must go first.
                delete_before_replace=True,
                custom_timeouts=pulumi.CustomTimeouts(create=timeout, update=timeout),
            ),
        )

    def _data(self, name: str, rancher: RancherSettings) -> docker.ContainerVolumeArgs:
        if rancher.volume.startswith("/"):
            return docker.ContainerVolumeArgs(host_path=rancher.volume, container_path=_DATA)
        volume = docker.Volume(
            f"{name}-data",
            name=rancher.volume,
            # The data outlives the container and the stack unless the stack file says otherwise;
            # docker creates a volume by name only if there is none, so the next `up` finds it.
            opts=pulumi.ResourceOptions(
                parent=self, retain_on_delete=not rancher.remove_data_on_destroy
            ),
        )
        return docker.ContainerVolumeArgs(volume_name=volume.name, container_path=_DATA)


def engine_duration(seconds: int) -> str:
    """The duration as the Docker engine writes it back: any other form is a diff for ever."""
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours}h{minutes}m{left}s"
    return f"{minutes}m{left}s" if minutes else f"{left}s"


def _port(external: int, internal: int, address: str) -> docker.ContainerPortArgs:
    return docker.ContainerPortArgs(internal=internal, external=external, ip=address)
