"""Rancher's CA, read from inside its container and pinned from then on."""

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult

from components.common.waiting import wait_until
from components.docker.host import run_in_container
from components.rancher.api.ca import ca_checksum

_COMMAND = (
    "kubectl",
    "get",
    "settings.management.cattle.io",
    "cacerts",
    "-o",
    "jsonpath={.value}",
)
_WATCHED = ("container_id", "docker_host", "container_name", "accept", "expected")


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
    """Id of the container; another container is asked anew."""
    timeout_seconds: int
    """How long Rancher may take until it has a CA."""
    accept: str | None = None
    """CATTLE_CA_CHECKSUM of a CA that may replace the pinned one."""
    expected: str | None = None
    """The CA (PEM) that the stack file gives; Rancher must say the same."""


class RancherCaProvider(ResourceProvider):
    """Reads the CA on create; a CA that is another one later stops the update."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Read the CA. Raises TimeoutError when Rancher has none in time."""
        return CreateResult("rancher-ca", {**props, "pem": _read(props)})

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Another container is asked again; where the engine is reached is part of it."""
        return DiffResult(changes=any(_olds.get(key) != _news.get(key) for key in _WATCHED))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Read it again. Raises RuntimeError when it is another CA than the one pinned."""
        pem = _read(_news)
        # A CA that the stack file names was compared with it already.
        is_accepted = _news.get("expected") or ca_checksum(pem) == _news.get("accept")
        if _olds.get("pem") and pem != _olds["pem"] and not is_accepted:
            raise RuntimeError(
                f"Rancher's CA in container {_news['container_name']} is not the one that was "
                "pinned: its data volume is new or was restored from elsewhere, and every agent "
                "that trusts the old CA is cut off. If that is meant, set rancher.acceptCa: "
                f"{ca_checksum(pem)} (docs/runbooks/rotate-the-ca.md)."
            )
        return UpdateResult({**_news, "pem": pem})


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
    if expected and ca_checksum(found) != ca_checksum(expected):
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
