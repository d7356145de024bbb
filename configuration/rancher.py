"""The Rancher server and the cluster's import into it."""

import ipaddress
import re
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from configuration.base import HostKey, Port, Seconds, StackModel
from configuration.problems import rule

# Scheme, host and port alone: no login, path, query or fragment.
_PLAIN_URL = re.compile(
    r"https://([A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])"
    r"(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?/?"
)
_FORBIDDEN_TAGS = ("latest", "head")


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class RancherSettings(StackModel):
    """The Rancher server in a Docker container."""

    url: str
    """Rancher's address as the cluster's nodes and people's browsers reach it, with https://."""
    docker_host: str = Field(
        default="unix:///var/run/docker.sock",
        # A host or user that begins with a hyphen would be taken for an option of ssh.
        pattern=r"^(unix:///\S+|ssh://([A-Za-z0-9_][^\s@:/]*@)?[A-Za-z0-9\[][^\s@/]*/?)$",
    )
    """The Docker engine: unix:///path/to/docker.sock or ssh://user@host[:port], which your ssh
    client opens with its own keys and agent."""
    docker_host_key: HostKey | None = None
    """SSH host key of an ssh:// Docker host; required for one."""
    image: str = Field(default="rancher/rancher", pattern=r"^[^\s:@]+(:[0-9]+/[^\s:@]+)?$")
    """Image without tag; with your registry's name in front if you have one."""
    tag: str = Field(default="v2.8.5", pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$")
    """Image tag; pinned, so that a restart is not an upgrade."""
    pull_image: bool = True
    """Whether the image is pulled; false takes the one that the engine already holds."""
    container_name: str = Field(default="rancher", pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]+$")
    """Name of the container; its data volume is NAME-data unless dataVolume says otherwise."""
    data_volume: str | None = Field(default=None, pattern=r"^(/\S+|[a-zA-Z0-9][a-zA-Z0-9_.-]+)$")
    """Name of the Docker volume with Rancher's data, or an absolute folder on the Docker host."""
    remove_data_on_destroy: bool = False
    """Whether `pulumi destroy` deletes the Docker volume with Rancher's users, clusters and CA."""
    http_port: Port = 80
    """Port of the Docker host for HTTP, which only redirects."""
    https_port: Port = 443
    """Port of the Docker host for HTTPS."""
    listen_address: str = "0.0.0.0"  # noqa: S104  a console is there to be reached
    """Address of the Docker host on which the ports are published."""
    minimum_memory_gib: int = Field(default=6, ge=1, le=1024)
    """Memory in GiB that the Docker host must have; less makes Rancher slow or kills it."""
    minimum_disk_gib: int = Field(default=10, ge=1, le=65536)
    """Free space in GiB that the Docker host must have for Rancher's data when it is new."""
    certificate_file: str | None = None
    """PEM file with a certificate of your own for Rancher's address, those that link it to its CA
    behind it; its key is the secret rancherCertificateKey."""
    ca_file: str | None = None
    """PEM file with the CA that signed certificateFile; none if every machine trusts it anyway."""
    accept_ca: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    """Checksum of a new CA that may take the place of the pinned one; without it that stops."""
    start_timeout_seconds: Seconds = 900
    """How long the server may take until it answers."""

    @field_validator("url")
    @classmethod
    def _https(cls, value: str) -> str:
        if _PLAIN_URL.fullmatch(value) is None:
            raise rule(
                "must be https:// and a host, with a port if it is not 443",
                "For example https://rancher.example.com.",
            )
        if _is_loopback(str(urlsplit(value).hostname)):
            raise rule(
                "points to this machine itself; the cluster's nodes could not reach Rancher there",
                "Use a name or address of the Docker host that the nodes can reach.",
            )
        return value.rstrip("/")

    @field_validator("tag")
    @classmethod
    def _pinned(cls, value: str) -> str:
        if value in _FORBIDDEN_TAGS:
            raise rule(
                "is a tag that moves, so a restart could become an upgrade",
                "Pin a version such as v2.8.5 (`stable` is accepted if you want to follow it).",
            )
        return value

    @field_validator("listen_address")
    @classmethod
    def _address(cls, value: str) -> str:
        try:
            ipaddress.ip_address(value)
        except ValueError:
            raise rule("must be an IP address", "For example 0.0.0.0.") from None
        return value

    @model_validator(mode="after")
    def _consistent(self) -> "RancherSettings":
        if self.http_port == self.https_port:
            raise rule("httpPort and httpsPort must differ", "Change one of them.")
        if self.ca_file is not None and self.certificate_file is None:
            raise rule(
                "caFile goes with certificateFile",
                "Add certificateFile, or remove caFile to let Rancher make a CA of its own.",
            )
        if self.remove_data_on_destroy and self.volume.startswith("/"):
            raise rule(
                "removeDataOnDestroy goes with a Docker volume; a folder of the host is never "
                "deleted",
                "Remove it, or name a Docker volume in dataVolume.",
            )
        if self.docker_host.startswith("ssh://") and self.docker_host_key is None:
            raise rule(
                "an ssh:// Docker host needs dockerHostKey",
                "Read it on that host: cat /etc/ssh/ssh_host_ed25519_key.pub.",
            )
        return self

    @property
    def volume(self) -> str:
        """The Docker volume or host folder that keeps Rancher's data."""
        return self.data_volume or f"{self.container_name}-data"


class RancherImportSettings(StackModel):
    """The manifest that connects the cluster to Rancher, when a person gives it.

    Its address is a secret (it holds the registration token): rancherManifestUrl.
    """

    manifest_file: str | None = None
    """File with the manifest that Rancher's page `Import existing` offers."""
    ca_file: str | None = None
    """PEM file with the CA that signed Rancher's certificate, for fetching the manifest."""
    ca_fingerprint: str | None = Field(default=None, pattern=r"^([0-9A-Fa-f]{2}:?){32}$")
    """SHA-256 of the CA file's text as Rancher counts it, instead of caFile."""
    timeout_seconds: Seconds = 600
    """How long the agent may take to start."""
