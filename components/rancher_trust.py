"""What makes an import manifest and a CA trustworthy. Pure: no network, no files.

Rancher hands out a manifest for any token, even one that nobody made, and only the agent finds
out later. So everything the agent will rely on is compared here, before anything is applied.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

import yaml

from components.rancher_errors import ManifestMismatchError

NAMESPACE = "cattle-system"
AGENT = "cattle-cluster-agent"

_CLUSTER_WIDE = {
    ("ClusterRole", "proxy-clusterrole-kubeapiserver"),
    ("ClusterRole", "cattle-admin"),
    ("ClusterRoleBinding", "proxy-role-binding-kubernetes-master"),
    ("ClusterRoleBinding", "cattle-admin-binding"),
    ("Namespace", NAMESPACE),
}
_IN_NAMESPACE = {
    ("ServiceAccount", "cattle"),
    ("Deployment", AGENT),
    ("Service", AGENT),
}
_SECRET = re.compile(r"cattle-credentials-[a-z0-9]+|cattle-private-registry")
_MANIFEST_PATH = re.compile(r"/v3/import/(?P<token>[^/_]+)_(?P<cluster_id>[^/]+)\.yaml")

Document = dict[str, Any]


@dataclass(frozen=True)
class ManifestUrl:
    """The parts of a manifest's address. The whole address is a secret, because of its token."""

    server_url: str
    cluster_id: str
    token: str = field(repr=False)


def ca_checksum(pem: str) -> str:
    """CATTLE_CA_CHECKSUM for this CA: sha256 over the PEM with exactly one newline at its end.

    Empty for an empty PEM (a certificate that a public CA signed). Source: Rancher 2.8.0,
    pkg/systemtemplate/import.go, CAChecksum.
    """
    stripped = pem.strip()
    return hashlib.sha256(f"{stripped}\n".encode()).hexdigest() if stripped else ""


def cacerts_authorization(token: str) -> str:
    """The bearer that asks `/cacerts` for a proof: the token's hash, so never the token."""
    return base64.b64encode(hashlib.sha256(token.encode()).digest()).decode()


def cacerts_proof(token: str, nonce: str, pem: str) -> str:
    """The X-Cattle-Hash that only a server which knows the token can give for nonce and CA.

    Source: Rancher 2.8.0, pkg/cacerts/handler.go.
    """
    stripped = pem.strip()
    served = f"{stripped}\n" if stripped else ""
    message = b"\0".join([nonce.encode(), served.encode(), b""])
    return base64.b64encode(hmac.digest(token.encode(), message, "sha512")).decode()


def is_proof(given: str, *, token: str, nonce: str, pem: str) -> bool:
    """Whether the proof that came with a CA is right."""
    return hmac.compare_digest(given, cacerts_proof(token, nonce, pem))


def read_manifest_url(url: str) -> ManifestUrl:
    """Take apart an address such as https://HOST/v3/import/TOKEN_CLUSTER.yaml.

    Raises ValueError, which does not repeat the address.
    """
    split = urlsplit(url)
    match = _MANIFEST_PATH.fullmatch(split.path)
    if split.scheme != "https" or not split.netloc or match is None:
        raise ValueError(
            "the import manifest's address must look like "
            "https://HOST/v3/import/TOKEN_CLUSTER.yaml (Rancher shows it under Import Existing)"
        )
    return ManifestUrl(f"https://{split.netloc}", match["cluster_id"], match["token"])


def read_manifest(text: str) -> list[Document]:
    """The objects of an import manifest.

    Cluster-wide objects lose the namespace that Rancher writes into one of them, since the API
    has none for them. Raises ManifestMismatchError for text that is no YAML, for an object that no
    import manifest has, and for a place that it has no business in.
    """
    try:
        # Newer parsers than YAML's safe one are not needed: the manifest is plain data.
        loaded = list(cast("Sequence[object]", list(yaml.safe_load_all(text))))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark is not None else ""
        raise ManifestMismatchError(
            f"the import manifest is no YAML{where}. Open the address in a browser: is it Rancher "
            "that answers?"
        ) from None
    documents = [document for document in loaded if document is not None]
    if not documents:
        raise ManifestMismatchError("the import manifest is empty. Check its address.")
    return [_checked(document) for document in documents]


def verify_manifest(
    documents: Sequence[Document], *, server_url: str, ca_pem: str, token: str
) -> None:
    """Check that the agent would join this Rancher, trusting this CA, with this token.

    Raises ManifestMismatchError with everything that differs; a token is named, never shown.
    """
    wrong: list[str] = []
    environment = _agent_environment(documents)
    if _address(environment.get("CATTLE_SERVER")) != _address(server_url):
        wrong.append(
            f"CATTLE_SERVER is {environment.get('CATTLE_SERVER')!r}, not {server_url!r}: "
            "set Rancher's server-url and fetch the manifest again"
        )
    expected = ca_checksum(ca_pem)
    if (environment.get("CATTLE_CA_CHECKSUM") or "") != expected:
        wrong.append(
            f"CATTLE_CA_CHECKSUM is {environment.get('CATTLE_CA_CHECKSUM')!r}, but the pinned CA "
            f"has {expected!r}: Rancher's CA changed, or somebody else answers"
        )
    for name, data in _credentials(documents):
        if not hmac.compare_digest(_decoded(data.get("token")), token):
            wrong.append(f"the token in Secret {name} is not the cluster's registration token")
        if _address(_decoded(data.get("url"))) != _address(server_url):
            wrong.append(f"the url in Secret {name} is not {server_url!r}")
    if not _credentials(documents):
        wrong.append("there is no Secret cattle-credentials-…")
    if wrong:
        raise ManifestMismatchError(
            "the import manifest must not be applied: " + "; ".join(wrong) + "."
        )


def _checked(document: object) -> Document:
    if not isinstance(document, dict):
        raise ManifestMismatchError(
            "the import manifest holds something that is no Kubernetes object."
        )
    read = cast(Document, document)
    kind = str(read.get("kind"))
    metadata = cast("dict[str, Any]", read.get("metadata") or {})
    name, namespace = str(metadata.get("name")), metadata.get("namespace")
    if (kind, name) in _CLUSTER_WIDE:
        kept = {key: value for key, value in metadata.items() if key != "namespace"}
        return {**read, "metadata": kept}
    expected = (kind, name) in _IN_NAMESPACE or (kind == "Secret" and _SECRET.fullmatch(name))
    if not expected or namespace != NAMESPACE:
        raise ManifestMismatchError(
            f"the import manifest holds {kind} {name} in namespace {namespace or '(none)'}, which "
            "a Rancher import manifest does not. Nothing was applied; look at the manifest, and "
            "apply it by hand if it is right."
        )
    return read


def _agent_environment(documents: Sequence[Document]) -> dict[str, str]:
    for document in documents:
        if (document["kind"], document["metadata"]["name"]) == ("Deployment", AGENT):
            containers: list[Document] = document["spec"]["template"]["spec"]["containers"]
            variables = [
                variable
                for container in containers
                for variable in cast("list[dict[str, str | None]]", container.get("env") or [])
            ]
            return {str(each.get("name")): each.get("value") or "" for each in variables}
    raise ManifestMismatchError(f"the import manifest has no Deployment {AGENT}.")


def _credentials(documents: Sequence[Document]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (document["metadata"]["name"], document.get("data") or {})
        for document in documents
        if document["kind"] == "Secret"
        and document["metadata"]["name"].startswith("cattle-credentials-")
    ]


def _decoded(value: object) -> str:
    try:
        return base64.b64decode(str(value or ""), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _address(url: str | None) -> str:
    return (url or "").rstrip("/").lower()
