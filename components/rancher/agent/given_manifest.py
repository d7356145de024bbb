"""An import manifest that a person gave by its address, fetched over verified TLS."""

import hmac
import ssl
from dataclasses import dataclass
from typing import Any

import httpx
import pulumi
from pulumi.dynamic import Resource

from components.common.dynamic import DynamicProvider, Properties
from components.common.waiting import tell
from components.rancher.agent.manifest import read_manifest, verify_manifest
from components.rancher.api.ca import ca_checksum
from components.rancher.api.client import fetch_manifest
from components.rancher.api.errors import RancherError
from components.rancher.api.manifest_url import read_manifest_url

_TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class RancherManifestArgs:
    """Where the manifest is, and what its server is trusted by."""

    url: pulumi.Input[str]
    """https://HOST/v3/import/TOKEN_CLUSTER.yaml (secret: it holds the token)."""
    ca_pem: str | None
    """The CA that signed Rancher's certificate."""
    ca_fingerprint: str | None
    """SHA-256 of that CA's text, as in CATTLE_CA_CHECKSUM; instead of ca_pem."""


class RancherManifestProvider(DynamicProvider):
    """Fetches and verifies on create, update and refresh."""

    outputs = ("text",)

    def make(self, new: Properties) -> tuple[str, Properties]:
        """Fetch. Raises RuntimeError or ManifestMismatchError, neither with the token."""
        return "manifest", {**new, "text": _fetch(new)}

    def change(self, old: Properties, new: Properties) -> Properties:
        """Fetch again."""
        del old
        return {**new, "text": _fetch(new)}

    def look(self, state: Properties) -> Properties:
        """What Rancher hands out now, so that a manifest changed by an upgrade shows.

        A Rancher that does not answer proves nothing: that is said, and the state stays.
        """
        try:
            return {**state, "text": _fetch(state)}
        except RancherError as error:
            tell(f"the import manifest could not be compared with Rancher's. {error}")
            return state


def _fetch(props: dict[str, Any]) -> str:
    parts = read_manifest_url(props["url"])
    pem = props.get("ca_pem") or _ca_by_fingerprint(parts.server_url, props.get("ca_fingerprint"))
    text, served = fetch_manifest(props["url"], pem or "")
    verify_manifest(
        read_manifest(text), server_url=parts.server_url, ca_pem=served, token=parts.token
    )
    return text


def _ca_by_fingerprint(server_url: str, fingerprint: str | None) -> str | None:
    """The CA that the server shows, if it is the one with this fingerprint.

    The one request whose answer is not protected by TLS; the fingerprint proves the answer.
    """
    if fingerprint is None:
        return None
    unverified = ssl.create_default_context()
    unverified.check_hostname = False
    unverified.verify_mode = ssl.CERT_NONE
    try:
        answer = httpx.get(f"{server_url}/cacerts", verify=unverified, timeout=_TIMEOUT_SECONDS)
        pem = answer.raise_for_status().text
    except httpx.HTTPError as error:
        raise RuntimeError(f"{server_url}: its CA could not be read: {error}") from None
    wanted = fingerprint.replace(":", "").lower()
    if not hmac.compare_digest(ca_checksum(pem), wanted):
        raise RuntimeError(
            f"{server_url} shows a CA with the fingerprint {ca_checksum(pem)}, not {wanted}. "
            "Somebody else answers there, or rancherImport.caFingerprint is of another Rancher."
        )
    return pem


class RancherManifest(Resource, module="rancher", name="Manifest"):
    """Owns the text of an import manifest, verified against its address and CA."""

    text: pulumi.Output[str]
    """The manifest, secret."""

    def __init__(
        self, name: str, args: RancherManifestArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(
            RancherManifestProvider(),
            name,
            {
                "url": pulumi.Output.secret(args.url),
                "ca_pem": args.ca_pem,
                "ca_fingerprint": args.ca_fingerprint,
                "text": None,
            },
            pulumi.ResourceOptions.merge(
                opts, pulumi.ResourceOptions(additional_secret_outputs=["url", "text"])
            ),
        )
