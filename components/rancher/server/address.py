"""Rancher's setting server-url, changed where the certificate does not matter: in its container.

Once server-url is set, Rancher's certificate takes the host of server-url and no other name. So an
address that is another one can't be reached before server-url says it, and server-url can't be
changed over it. The Docker host's own channel reaches Rancher whatever the certificate names and
wherever DNS leads.
Source: Rancher 2.8.5, pkg/tls/tls.go, filterCN.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pulumi
from pulumi.dynamic import Resource

from components.common.dynamic import DynamicProvider, Properties
from components.common.waiting import tell, wait_until
from components.docker.exec import run_in_container

_SETTING = ("settings.management.cattle.io", "server-url")
_READ = ("kubectl", "get", *_SETTING, "-o", "jsonpath={.value}")


@dataclass(frozen=True, kw_only=True)
class RancherAddressArgs:
    """Which container, and the address; every field is an input under its own name."""

    docker_host: str
    """unix:///path or ssh://user@host[:port]."""
    docker_host_key: str | None
    """SSH host key of an ssh:// host."""
    container_name: str
    """Name of Rancher's container."""
    container_id: pulumi.Input[str]
    """Id of the container; another container may have other data and is asked again."""
    url: pulumi.Input[str]
    """The address that Rancher is to have, with https://."""
    timeout_seconds: int
    """How long Rancher may take until it has the setting."""


class RancherAddressProvider(DynamicProvider):
    """Sets server-url on create and update; deleting it changes nothing."""

    not_compared: ClassVar[Mapping[str, str]] = {
        "docker_host_key": "how the host is trusted changes nothing in Rancher's address",
        "timeout_seconds": "a longer patience is no reason to ask again",
    }

    def make(self, new: Properties) -> tuple[str, Properties]:
        """Set it. Raises TimeoutError when Rancher does not take it in time."""
        _set(new)
        return "rancher-address", new

    def change(self, old: Properties, new: Properties) -> Properties:
        """Set it again, unless Rancher has it already."""
        del old
        _set(new)
        return new


class RancherAddress(Resource, module="rancher", name="Address"):
    """Rancher's address, which is usable only once this is done."""

    url: pulumi.Output[str]
    """The address, known once Rancher's certificate may name it."""

    def __init__(
        self, name: str, args: RancherAddressArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(RancherAddressProvider(), name, dict(vars(args)), opts)


def is_same_address(one: str, other: str) -> bool:
    """Whether two spellings are one address for server-url. Pure."""
    return one.strip().rstrip("/") == other.strip().rstrip("/")


def _set(props: Properties) -> None:
    wanted, name = str(props["url"]), str(props["container_name"])

    def run(*command: str) -> str:
        return run_in_container(props["docker_host"], props.get("docker_host_key"), name, command)

    def missing() -> list[str]:
        try:
            found = run(*_READ)
            if is_same_address(found, wanted):
                return []
            if found:
                tell(f"Rancher: server-url is {found.strip()} and becomes {wanted}")
            patch = json.dumps({"value": wanted.rstrip("/")})
            run("kubectl", "patch", *_SETTING, "--type=merge", "-p", patch)
        except RuntimeError as error:
            return [str(error)]
        return ["it was changed just now"]

    wait_until(
        f"Rancher's server-url in container {name}",
        missing,
        timeout_seconds=float(props["timeout_seconds"]),
    )
