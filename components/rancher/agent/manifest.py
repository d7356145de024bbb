"""What makes an import manifest trustworthy. Pure: no network, no files.

Rancher hands out a manifest for any token, even one that nobody made, and only the agent finds
out later. So everything the agent will rely on is compared here, before anything is applied.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Sequence
from typing import Any, cast

import yaml

from components.rancher.api.ca import ca_checksum
from components.rancher.api.errors import ManifestMismatchError

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

Document = dict[str, Any]


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
