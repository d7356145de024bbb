"""Rancher's CA, read from inside its container and pinned from then on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pulumi
from pulumi.dynamic import Resource

from components.common.dynamic import DynamicProvider, Properties
from components.common.waiting import wait_until
from components.docker.exec import run_in_container
from components.rancher.api.ca import ca_checksum, is_same_ca

_COMMAND = (
    "kubectl",
    "get",
    "settings.management.cattle.io",
    "cacerts",
    "-o",
    "jsonpath={.value}",
)


@dataclass(frozen=True, kw_only=True)
class RancherCaArgs:
    """Which container is asked, and over which engine."""

    docker_host: str
    """unix:///path or ssh://user@host[:port]."""
    docker_host_key: str | None
    """SSH host key of an ssh:// host."""
    container_name: str
    """Name of Rancher's container."""
    container_id: pulumi.Input[str]
    """Id of the container; another container is asked again."""
    timeout_seconds: int
    """How long Rancher may take until it has a CA."""
    accept: str | None = None
    """CATTLE_CA_CHECKSUM of a CA that may replace the pinned one."""
    expected: str | None = None
    """The CA (PEM) that the stack file gives; Rancher must say the same."""


class RancherCaProvider(DynamicProvider):
    """Reads the CA on create; a CA that is another one later stops the update."""

    outputs = ("pem",)
    not_compared: ClassVar[Mapping[str, str]] = {
        "docker_host_key": "how the host is trusted changes nothing in Rancher's CA",
        "timeout_seconds": "a longer patience is no reason to ask again",
    }

    def make(self, new: Properties) -> tuple[str, Properties]:
        """Read the CA. Raises TimeoutError when Rancher has none in time."""
        return "rancher-ca", {**new, "pem": _read(new)}

    def change(self, old: Properties, new: Properties) -> Properties:
        """Read it again. Raises RuntimeError when it is another CA than the one pinned."""
        pem = _read(new)
        # A CA that the stack file names was compared with it already.
        is_accepted = new.get("expected") or ca_checksum(pem) == new.get("accept")
        if old.get("pem") and not is_same_ca(pem, old["pem"]) and not is_accepted:
            raise RuntimeError(
                f"Rancher's CA in container {new['container_name']} is not the one that was "
                "pinned: its data volume is new or was restored from elsewhere, and every agent "
                "that trusts the old CA is cut off. If that is meant, set rancher.acceptCa: "
                f"{ca_checksum(pem)} (docs/runbooks/rotate-the-ca.md)."
            )
        return {**new, "pem": pem}


def _read(props: dict[str, Any]) -> str:
    found = ""

    def missing() -> list[str]:
        nonlocal found
        try:
            found = run_in_container(
                props["docker_host"],
                props.get("docker_host_key"),
                props["container_name"],
                _COMMAND,
            ).strip()
        except RuntimeError as error:
            return [str(error)]
        return [] if found else ["Rancher has no CA yet"]

    wait_until("Rancher's CA", missing, timeout_seconds=float(props["timeout_seconds"]))
    expected = props.get("expected")
    if expected and not is_same_ca(found, expected):
        raise RuntimeError(
            f"Rancher in container {props['container_name']} says that its CA has the checksum "
            f"{ca_checksum(found)}, and rancher.caFile holds one with {ca_checksum(expected)}. "
            "Give the CA that signed rancher.certificateFile, or find out who changed Rancher's."
        )
    return found + "\n"


class RancherCa(Resource, module="rancher", name="Ca"):
    """Owns the pinned CA. The channel is Docker's own socket, or SSH with a pinned host key."""

    pem: pulumi.Output[str]
    """The CA's certificate, one trailing newline."""

    def __init__(
        self, name: str, args: RancherCaArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(
            RancherCaProvider(),
            name,
            {
                "docker_host": args.docker_host,
                "docker_host_key": args.docker_host_key,
                "container_name": args.container_name,
                "container_id": args.container_id,
                "timeout_seconds": args.timeout_seconds,
                "accept": args.accept,
                "expected": args.expected,
                "pem": None,
            },
            opts,
        )
