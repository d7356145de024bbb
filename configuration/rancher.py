"""The Rancher server and the cluster's import into it."""

import posixpath
import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator

from configuration.addresses import host_address, image, ip_address
from configuration.base import (
    AbsolutePath,
    HostKey,
    Port,
    Registry,
    Seconds,
    StackModel,
    form,
    pattern,
)
from configuration.environment import Environment
from configuration.host_aliases import HostAliasSettings
from configuration.problems import rule
from configuration.rancher_backup import RancherBackupSettings

# Scheme, host and port alone: no login, path, query or fragment.
_PLAIN_URL = re.compile(
    r"https://([A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])"
    r"(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?/?"
)
_MOVING_TAG = re.compile(r"latest|(.*-)?head")
_DockerHost = Annotated[
    str,
    pattern(
        "address of a Docker engine",
        # A host or user that begins with a hyphen would be taken for an option of ssh.
        r"unix:///\S+|ssh://([A-Za-z0-9_][^\s@:/]*@)?[A-Za-z0-9\[][^\s@/]*/?",
        "must be a local socket, or an SSH address without a path; a TCP port is open to anybody "
        "who reaches it",
        "Write unix:///var/run/docker.sock or ssh://user@host.",
    ),
]


def _untagged(value: str) -> str:
    if "@" in value or ":" in value.rpartition("/")[2]:
        raise rule(
            "must be the name of an image without tag or digest",
            "Write the version under the key `tag`.",
        )
    return value


_Image = Annotated[str, form("image without tag", _untagged), form("image", image)]
_Tag = Annotated[
    str,
    pattern(
        "image tag",
        r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}",
        "is no tag that an image can have",
        "Use letters, digits and . _ -, for example v2.8.5.",
    ),
]
_DockerName = Annotated[
    str,
    pattern(
        "name in Docker",
        r"[a-zA-Z0-9][a-zA-Z0-9_.-]+",
        "is no name that Docker allows",
        "Use two or more letters, digits and . _ -, beginning with a letter or digit.",
    ),
]
_Volume = Annotated[
    str,
    pattern(
        "name in Docker or absolute path",
        r"/[^\s:]+|[a-zA-Z0-9][a-zA-Z0-9_.-]+",
        "must be the name of a Docker volume or an absolute folder without a colon",
        "For example rancher-data or /srv/rancher.",
    ),
]


def _one_spelling(value: str) -> str:
    """Docker has a folder without what makes no difference, and compares by letters."""
    return "/" + posixpath.normpath(value).lstrip("/") if value.startswith("/") else value


_CaChecksum = Annotated[
    str,
    pattern(
        "checksum",
        r"[0-9a-f]{64}",
        "must be a SHA-256 checksum: 64 digits and lower-case letters a to f",
        "Copy it from the message that names the new CA.",
    ),
]


def _is_loopback(host: str) -> bool:
    address = ip_address(host)
    is_named = host == "localhost" or host.endswith(".localhost")
    return is_named or (address is not None and address.is_loopback)


def _server_url(value: str) -> str:
    if _PLAIN_URL.fullmatch(value) is None:
        raise rule(
            "must be https:// and a host, with a port if it is not 443",
            "For example https://rancher.example.com.",
        )
    host_address(str(urlsplit(value).hostname))
    return value.rstrip("/")


_ServerUrl = Annotated[str, form("address of a Rancher", _server_url, r"https://[^/\s]+/?")]


class MountSettings(StackModel):
    """A folder or file of the Docker host in Rancher's container."""

    host_path: AbsolutePath
    """Absolute path on the Docker host; it must be there."""
    container_path: AbsolutePath
    """Absolute path in the container."""
    read_only: bool = True
    """Whether Rancher may only read it."""

    @field_validator("host_path", "container_path")
    @classmethod
    def _mountable(cls, value: str) -> str:
        if ":" in value:
            raise rule("has a colon, which Docker takes for the end of a path", "Use another path.")
        return value

    @field_validator("container_path")
    @classmethod
    def _below_root(cls, value: str) -> str:
        if value == "/":
            raise rule("is the container's own root", "Name a folder below it.")
        return value


class RancherSettings(StackModel):
    """The Rancher server in a Docker container."""

    url: str
    """Rancher's address as the cluster's nodes and people's browsers reach it, with https://."""
    docker_host: _DockerHost = "unix:///var/run/docker.sock"
    """The Docker engine: unix:///path/to/docker.sock or ssh://user@host[:port], which your ssh
    client opens with its own keys and agent."""
    docker_host_key: HostKey | None = None
    """SSH host key of an ssh:// Docker host; required for one."""
    image: _Image = "rancher/rancher"
    """Image without tag; with your registry's name in front if you have one."""
    tag: _Tag = "v2.8.5"
    """Image tag; pinned, so that a restart is not an upgrade."""
    pull_image: bool = True
    """Whether the image is pulled; false takes the one that the Docker engine already holds."""
    container_name: _DockerName = "rancher"
    """Name of the container; its data volume is NAME-data unless dataVolume says otherwise."""
    data_volume: Annotated[_Volume, AfterValidator(_one_spelling)] | None = None
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
    tls_termination: Literal["rancher", "external"] = "rancher"
    """Who ends TLS at Rancher's address: `rancher` itself, or `external`, a proxy or load balancer
    in front, which hands requests to httpPort with `X-Forwarded-Proto: https`."""
    certificate_file: str | None = None
    """PEM file with a certificate of your own for Rancher's address, those that link it to its CA
    behind it; its key is the secret rancherCertificateKey."""
    ca_file: str | None = None
    """PEM file with the CA that signed certificateFile, or the proxy's certificate when TLS ends
    there; none if every machine trusts it anyway."""
    system_default_registry: Registry | None = None
    """Registry that Rancher takes the images of its agents and apps from."""
    environment: Environment = Field(default_factory=dict)
    """More environment variables for Rancher's container, such as HTTPS_PROXY with NO_PROXY, or
    AUDIT_LEVEL; no secrets, since they are plain text in the state and on the host."""
    extra_mounts: tuple[MountSettings, ...] = Field(default=(), strict=False)
    """More of the Docker host in Rancher's container, such as a folder for the audit log."""
    accept_ca: _CaChecksum | None = None
    """Checksum of a new CA that may take the place of the pinned one; without it that stops."""
    start_timeout_seconds: Seconds = 900
    """How long the server may take until it answers."""
    backup: RancherBackupSettings | None = None
    """Archives of Rancher's data, made on a schedule."""

    @field_validator("url")
    @classmethod
    def _https(cls, value: str) -> str:
        value = _server_url(value)
        if _is_loopback(str(urlsplit(value).hostname)):
            raise rule(
                "points to this machine itself; the cluster's nodes could not reach Rancher there",
                "Use a name or address of the Docker host that the nodes can reach.",
            )
        return value

    @field_validator("docker_host")
    @classmethod
    def _host(cls, value: str) -> str:
        if value.startswith("ssh://"):
            try:
                parts = urlsplit(value)
                host, _ = parts.hostname, parts.port
            except ValueError:
                raise rule("has no port that can be one", "Write ssh://user@host:22.") from None
            host_address(str(host))
        return value

    @field_validator("tag")
    @classmethod
    def _pinned(cls, value: str) -> str:
        if _MOVING_TAG.fullmatch(value):
            raise rule(
                "is a tag that moves, so a restart could become an upgrade",
                "Pin a version such as v2.8.5 (`stable` is accepted if you want to follow it).",
            )
        return value

    @field_validator("listen_address")
    @classmethod
    def _address(cls, value: str) -> str:
        if ip_address(value) is None:
            raise rule("must be an IP address", "For example 0.0.0.0.")
        return value

    @property
    def is_trusted_everywhere(self) -> bool:
        """Whether callers know the CA behind Rancher's address without being told."""
        is_given = self.certificate_file is not None or self.tls_termination == "external"
        return is_given and self.ca_file is None

    @property
    def volume(self) -> str:
        """The Docker volume or host folder that keeps Rancher's data."""
        return self.data_volume or f"{self.container_name}-data"


class RancherImportSettings(StackModel):
    """Rancher's agent in the cluster, and its import manifest when a person gives it.

    The manifest's address is a secret (it holds the registration token): rancherManifestUrl. With
    url the cluster is imported into a Rancher that is there already; the API token for it is the
    secret rancherToken.
    """

    url: _ServerUrl | None = None
    """Address of a Rancher that is there already, as this machine reaches it, with https://; goes
    with the secret rancherToken and stages.rancher: false."""
    manifest_file: str | None = None
    """File with the manifest that Rancher's page `Import existing` offers."""
    ca_file: str | None = None
    """PEM file with the CA that signed Rancher's certificate, for url and for the manifest's
    address; none if this machine trusts it anyway."""
    agent_environment: Environment = Field(default_factory=dict)
    """Environment variables for Rancher's agent, such as HTTPS_PROXY with NO_PROXY; no secrets,
    since they are plain text in the state, in Rancher and in the cluster. They are all that the
    cluster's agent environment in Rancher has then."""
    host_aliases: tuple[HostAliasSettings, ...] = Field(default=(), strict=False)
    """Entries for the hosts file of Rancher's agent, such as Rancher's own name."""
    timeout_seconds: Seconds = 600
    """How long the agent may take to start."""
