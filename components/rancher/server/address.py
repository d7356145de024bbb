"""Rancher's setting server-url, changed where the certificate does not matter: in its container.

Once server-url is set, Rancher's certificate takes the host of server-url and no other name. So an
address that is another one can't be reached before server-url says it, and server-url can't be
changed over it. The Docker host's own channel reaches Rancher whatever the certificate names and
wherever DNS leads.
Source: Rancher 2.8.5, pkg/tls/tls.go, filterCN.
"""

import json
from collections.abc import Mapping
from typing import ClassVar

import pulumi

from components.common.dynamic import DynamicProvider, DynamicResource, Properties
from components.common.progress import tell
from components.common.waiting import wait_until
from components.rancher.api.addresses import is_same_address
from components.rancher.server.container import (
    SETTINGS,
    container_inputs,
    rancher_setting,
    run_in_rancher,
)
from configuration.rancher import RancherSettings

_SETTING = "server-url"


class RancherAddressProvider(DynamicProvider):
    """Sets server-url on create and update; deleting it changes nothing."""

    not_compared: ClassVar[Mapping[str, str]] = {
        "docker_host_key": "how the host is trusted changes nothing in Rancher's address",
        "timeout_seconds": "a longer patience is no reason to ask again",
    }

    def make(self, new: Properties) -> tuple[str, Properties]:
        """Set it, unless Rancher has it. Raises TimeoutError when Rancher does not take it."""
        wanted = str(new["url"])

        def missing() -> list[str]:
            try:
                found = rancher_setting(new, _SETTING)
                if is_same_address(found, wanted):
                    return []
                if found:
                    tell(f"Rancher: server-url is {found.strip()} and becomes {wanted}")
                patch = json.dumps({"value": wanted.rstrip("/")})
                run_in_rancher(
                    new, "kubectl", "patch", SETTINGS, _SETTING, "--type=merge", "-p", patch
                )
            except RuntimeError as error:
                return [str(error)]
            return ["it was changed just now"]

        wait_until(
            f"Rancher's server-url in container {new['container_name']}",
            missing,
            timeout_seconds=float(new["timeout_seconds"]),
        )
        return "rancher-address", new


class RancherAddress(DynamicResource, module="rancher", name="Address"):
    """Rancher's address, which is usable only once this is done."""

    url: pulumi.Output[str]
    """The address, known once Rancher's certificate may name it."""

    def __init__(
        self,
        name: str,
        *,
        rancher: RancherSettings,
        container_id: pulumi.Input[str],
        url: pulumi.Input[str],
    ) -> None:
        """Declare it; another container may have other data, and is asked again."""
        inputs = {**container_inputs(rancher), "container_id": container_id, "url": url}
        super().__init__(RancherAddressProvider(), name, inputs)
