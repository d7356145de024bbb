"""Rancher's CA, read from inside its container and pinned from then on."""

from collections.abc import Mapping
from typing import Any, ClassVar

import pulumi

from components.common.dynamic import DynamicProvider, DynamicResource, Properties
from components.common.waiting import wait_until
from components.rancher.api.ca import ca_checksum, is_same_ca
from components.rancher.server.container import container_inputs, rancher_setting
from configuration.rancher import RancherSettings


class RancherCaProvider(DynamicProvider):
    """Reads the CA on create; a CA that is another one later stops the update."""

    outputs = ("pem",)
    not_compared: ClassVar[Mapping[str, str]] = {
        "docker_host_key": "how the host is trusted changes nothing in Rancher's CA",
        "timeout_seconds": "a longer patience is no reason to ask again",
    }

    leaves_outputs = ("accept",)

    def keeps_outputs(self, old: Properties, new: Properties) -> bool:
        """Only a CA that may take the pinned one's place may be another one."""
        return super().keeps_outputs(old, new) and not new.get("accept")

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
            found = rancher_setting(props, "cacerts").strip()
        except RuntimeError as error:
            return [str(error)]
        return [] if found else ["Rancher has no CA yet"]

    wait_until("Rancher's CA", missing, timeout_seconds=float(props["timeout_seconds"]))
    expected = props.get("expected")
    if expected and not is_same_ca(found, expected):
        raise RuntimeError(
            f"Rancher in container {props['container_name']} says that its CA has the checksum "
            f"{ca_checksum(found)}, and rancher.caFile holds one with {ca_checksum(expected)}. "
            "Give the CA behind the certificate at rancher.url, or find out who changed Rancher's."
        )
    return found + "\n"


class RancherCa(DynamicResource, module="rancher", name="Ca"):
    """Owns the pinned CA. The channel is Docker's own socket, or SSH with a pinned host key."""

    pem: pulumi.Output[str]
    """The CA's certificate, one trailing newline."""

    def __init__(
        self,
        name: str,
        *,
        rancher: RancherSettings,
        container_id: pulumi.Input[str],
        expected: str | None,
    ) -> None:
        """Declare it.

        Args:
            rancher: The container, and the checksum of a CA that may replace the pinned one.
            container_id: Id of the container; another container is asked again.
            expected: The CA (PEM) that the stack file gives; Rancher must say the same.
        """
        inputs = {
            **container_inputs(rancher),
            "container_id": container_id,
            "accept": rancher.accept_ca,
            "expected": expected,
        }
        super().__init__(RancherCaProvider(), name, inputs)
