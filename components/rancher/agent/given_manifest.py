"""An import manifest that a person gave by its address, fetched over verified TLS."""

from typing import Any

import pulumi

from components.common.dynamic import DynamicProvider, DynamicResource, Properties
from components.common.progress import tell
from components.rancher.agent.manifest import read_manifest, verify_manifest
from components.rancher.api.client import fetch_manifest
from components.rancher.api.errors import RancherError
from components.rancher.api.manifest_url import read_manifest_url


class RancherManifestProvider(DynamicProvider):
    """Fetches and verifies on create, update and refresh."""

    outputs = ("text",)

    def make(self, new: Properties) -> tuple[str, Properties]:
        """Fetch. Raises RuntimeError or ManifestMismatchError, neither with the token."""
        return "manifest", {**new, "text": _fetch(new)}

    def look(self, state: Properties) -> Properties:
        """What Rancher hands out now, so that a manifest changed by an upgrade shows.

        A Rancher that does not answer proves nothing: that is reported, and the state stays.
        """
        try:
            return {**state, "text": _fetch(state)}
        except RancherError as error:
            tell(f"the import manifest could not be compared with Rancher's. {error}")
            return state


def _fetch(props: dict[str, Any]) -> str:
    parts = read_manifest_url(props["url"])
    text, served = fetch_manifest(props["url"], props.get("ca_pem") or "")
    verify_manifest(
        read_manifest(text), server_url=parts.server_url, ca_pem=served, token=parts.token
    )
    return text


class RancherManifest(DynamicResource, module="rancher", name="Manifest"):
    """Owns the text of an import manifest, verified against its address and CA."""

    text: pulumi.Output[str]
    """The manifest, secret."""

    def __init__(self, name: str, *, url: pulumi.Input[str], ca_pem: str | None) -> None:
        """Declare it.

        Args:
            url: https://HOST/v3/import/TOKEN_CLUSTER.yaml (secret: it holds the token).
            ca_pem: The CA that signed Rancher's certificate; None for one that this machine trusts.
        """
        inputs = {"url": pulumi.Output.secret(url), "ca_pem": ca_pem}
        super().__init__(RancherManifestProvider(), name, inputs, secrets=["url", "text"])
