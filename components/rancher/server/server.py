"""The Rancher server as a container."""

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_docker as docker

from components.common.owner import MARK, this_stack
from components.rancher.api.readiness import CONFIRMATIONS
from components.rancher.server.backup.container import declare_backup
from components.rancher.server.clearance import clearance
from components.rancher.server.host_rules import engine_host
from components.rancher.server.password import GeneratedPassword
from components.rancher.server.preflight import RancherPreflight
from components.rancher.server.running import RancherRunning
from configuration.rancher import RancherSettings

_DATA = "/var/lib/rancher"
_HTTP, _HTTPS = 80, 443
# Source: Rancher 2.8, Installing Rancher on a Single Node Using Docker, options B and C; Docker
# Install with TLS Termination at Layer-7 NGINX Load Balancer; pkg/tls/tls.go, readConfig.
_CERTIFICATES = "/etc/rancher/ssl"
_TRUSTED_EVERYWHERE = "--no-cacerts"
# One answer is no proof: Rancher answers for a moment while it starts, and is gone again.
_ANSWERS_SEVERAL_TIMES = (
    f"for i in $(seq {CONFIRMATIONS}); do "
    "curl -ksfo /dev/null --noproxy '*' --max-time 5 https://localhost/ping || exit 1; "
    "sleep 1; done"
)


@dataclass(frozen=True, kw_only=True)
class RancherCertificate:
    """What is known of a certificate for Rancher's address that Rancher did not make."""

    ca_pem: str | None
    """The CA; None for one that every machine trusts anyway."""
    chain_pem: str | None = None
    """The certificate, and those that link it to its CA; None where a proxy has it."""
    key_pem: pulumi.Output[str] | None = None
    """Its private key (secret); None where a proxy has it."""


class RancherServer(pulumi.ComponentResource):
    """Owns the container and its image; up once Rancher answers /ping several times in a row.

    The host is looked at first, and another host gets a container of its own without the old one
    being asked for anything.

    Refuses to own the data: the volume is kept on destroy unless the stack file asks for its
    removal in as many words, because it holds Rancher's users, clusters and CA, and every agent
    would have to be registered again without it.
    Source: Rancher 2.8, Installing Rancher on a Single Node Using Docker.
    """

    url: pulumi.Output[str]
    """Rancher's address, known once the server answers."""
    container_id: pulumi.Output[str]
    """Docker's id of the container."""
    bootstrap_password: pulumi.Output[str]
    """First password of user admin, secret; Rancher reads it only while it has no users."""

    def __init__(
        self,
        name: str,
        *,
        rancher: RancherSettings,
        bootstrap_password: pulumi.Output[str] | None,
        certificate: RancherCertificate | None,
        finding: str | None,
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Declare it.

        Args:
            name: The resource's name, and the beginning of its parts' names.
            rancher: Address, image, ports, data volume.
            bootstrap_password: The first password of user admin (secret); None generates one.
            certificate: What Rancher serves with; None lets it make a CA of its own.
            finding: Which of the containers do not run right now.
        """
        super().__init__("longhornrancher:rancher:Server", name, None, opts)
        self._name, self._rancher, self._certificate = name, rancher, certificate
        # Another host has neither image nor container. The old one is not asked for anything:
        # it may be gone.
        self._host = engine_host(rancher.docker_host)
        here = pulumi.ResourceOptions(parent=self)
        self.bootstrap_password = pulumi.Output.secret(
            bootstrap_password or GeneratedPassword(f"{name}-bootstrap-password", here).value
        )
        self._preflight = RancherPreflight(f"{name}-preflight", rancher=rancher, opts=here)
        image, data = self._image(), self._data()
        container = self._container(image, data)
        containers = [container]
        if rancher.backup is not None:
            backup = declare_backup(
                f"{name}-backup",
                rancher,
                rancher.backup,
                image,
                data,
                # Rancher first: what is left of an interrupted backup is put right then.
                pulumi.ResourceOptions(
                    parent=self,
                    depends_on=[container],
                    delete_before_replace=True,
                    replacement_trigger=self._host,
                ),
            )
            containers.append(backup)
        running = RancherRunning(
            f"{name}-running",
            rancher=rancher,
            finding=finding,
            opts=pulumi.ResourceOptions(parent=self, depends_on=containers),
        )
        self.container_id = once_done(running, container.id)
        self.url = self.container_id.apply(lambda _: rancher.url)
        self.register_outputs({"url": self.url, "bootstrapPassword": self.bootstrap_password})

    def _image(self) -> pulumi.Input[str]:
        reference = f"{self._rancher.image}:{self._rancher.tag}"
        if not self._rancher.pull_image:
            return reference
        # By id and not by name: a name that resolves again would replace the container.
        return docker.RemoteImage(
            f"{self._name}-image",
            name=reference,
            keep_locally=True,
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=[self._preflight], replacement_trigger=self._host
            ),
        ).image_id

    def _container(
        self, image: pulumi.Input[str], data: docker.ContainerVolumeArgs
    ) -> docker.Container:
        rancher, certificate = self._rancher, self._certificate
        timeout = f"{rancher.start_timeout_seconds + 60}s"
        return docker.Container(
            f"{self._name}-container",
            name=rancher.container_name,
            image=image,
            privileged=True,
            restart="unless-stopped",
            # Without an explicit mode Docker's answer differs from the input at every preview.
            network_mode="bridge",
            envs=[
                pulumi.Output.concat("CATTLE_BOOTSTRAP_PASSWORD=", self.bootstrap_password),
                *_environment(rancher),
            ],
            ports=[
                _port(rancher.http_port, _HTTP, rancher.listen_address),
                _port(rancher.https_port, _HTTPS, rancher.listen_address),
            ],
            volumes=[data, *_extra_mounts(rancher)],
            labels=[docker.ContainerLabelArgs(label=MARK, value=this_stack())],
            uploads=None if certificate is None else _uploads(certificate),
            command=[_TRUSTED_EVERYWHERE] if certificate and not certificate.ca_pem else None,
            healthcheck=docker.ContainerHealthcheckArgs(
                tests=["CMD-SHELL", _ANSWERS_SEVERAL_TIMES],
                interval="5s",
                timeout="20s",
                start_period=engine_duration(rancher.start_timeout_seconds),
                retries=3,
            ),
            wait=True,
            wait_timeout=rancher.start_timeout_seconds,
            # Rancher's K3s writes its state when it is asked to stop.
            destroy_grace_seconds=60,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[self._preflight],
                # Its name and ports are fixed, so the old one must go first.
                delete_before_replace=True,
                replacement_trigger=self._host,
                custom_timeouts=pulumi.CustomTimeouts(create=timeout, update=timeout),
                hooks=pulumi.ResourceHookBinding(
                    before_create=[clearance(f"{self._name}-clearance", rancher, _DATA)]
                ),
            ),
        )

    def _data(self) -> docker.ContainerVolumeArgs:
        rancher = self._rancher
        if rancher.volume.startswith("/"):
            return docker.ContainerVolumeArgs(host_path=rancher.volume, container_path=_DATA)
        volume = docker.Volume(
            f"{self._name}-data",
            name=rancher.volume,
            # The data outlives the container and the stack unless the stack file says otherwise;
            # docker creates a volume by name only if there is none, so the next `up` finds it.
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[self._preflight],
                retain_on_delete=not rancher.remove_data_on_destroy,
            ),
        )
        return docker.ContainerVolumeArgs(volume_name=volume.name, container_path=_DATA)


def once_done(resource: pulumi.Resource, value: pulumi.Output[str]) -> pulumi.Output[str]:
    """The value, as known as it is, for those who are to start only after the resource."""

    async def resources() -> set[pulumi.Resource]:
        return {*await value.resources(), resource}

    async def known_or_not() -> Any:
        return await value.future(with_unknowns=True)

    return pulumi.Output(resources(), known_or_not(), value.is_known(), value.is_secret())


def engine_duration(seconds: int) -> str:
    """The duration as the Docker engine writes it back: any other form is a diff for ever."""
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours}h{minutes}m{left}s"
    return f"{minutes}m{left}s" if minutes else f"{left}s"


def _port(external: int, internal: int, address: str) -> docker.ContainerPortArgs:
    return docker.ContainerPortArgs(internal=internal, external=external, ip=address)


def _environment(rancher: RancherSettings) -> list[str]:
    """What the stack file adds; sorted, so that another order in the file is no change."""
    given = dict(rancher.environment)
    if rancher.system_default_registry is not None:
        given["CATTLE_SYSTEM_DEFAULT_REGISTRY"] = rancher.system_default_registry
    return [f"{name}={value}" for name, value in sorted(given.items())]


def _extra_mounts(rancher: RancherSettings) -> list[docker.ContainerVolumeArgs]:
    return [
        docker.ContainerVolumeArgs(
            host_path=mount.host_path,
            container_path=mount.container_path,
            read_only=mount.read_only,
        )
        for mount in rancher.extra_mounts
    ]


def _uploads(certificate: RancherCertificate) -> list[docker.ContainerUploadArgs]:
    contents: dict[str, pulumi.Input[str]] = {}
    if certificate.chain_pem and certificate.key_pem is not None:
        contents["cert.pem"] = certificate.chain_pem
        contents["key.pem"] = pulumi.Output.secret(certificate.key_pem)
    if certificate.ca_pem:
        contents["cacerts.pem"] = certificate.ca_pem
    return [
        docker.ContainerUploadArgs(
            file=f"{_CERTIFICATES}/{file}",
            content=content,
            permissions="0600" if file == "key.pem" else "0644",
        )
        for file, content in contents.items()
    ]
