"""What makes an import manifest trustworthy. Pure: no network, no files.

Rancher hands out a manifest for any token, even one that nobody made, and only the agent finds
out later. So everything the agent will rely on is compared here, before anything is applied.
"""

import base64
import binascii
import hmac
from collections.abc import Sequence
from typing import Any, cast

import yaml

from components.common.answers import listed
from components.rancher.agent.known_objects import AGENT, CREDENTIALS, Document, entry_of
from components.rancher.api.addresses import is_same_address
from components.rancher.api.ca import ca_checksum
from components.rancher.api.errors import ManifestMismatchError

_SHOWN_CHARACTERS = 200


def read_manifest(text: str) -> list[Document]:
    """The objects of an import manifest.

    Cluster-wide objects lose the namespace that Rancher writes into one of them, since the API
    has none for them. Raises ManifestMismatchError for text that is no YAML, and for an object that
    is not known (see known_objects).
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
    documents = [each for document in loaded if document is not None for each in _items(document)]
    if not documents:
        raise ManifestMismatchError("the import manifest is empty. Check its address.")
    return [_checked(document) for document in documents]


def verify_manifest(
    documents: Sequence[Document], *, server_url: str, ca_pem: str, token: str
) -> None:
    """Check that the agent would join this Rancher, trusting this CA, with this token.

    Args:
        ca_pem: The CA as Rancher words it, already compared with the pinned one.

    Raises ManifestMismatchError with everything that differs; a token is named, never shown.
    """
    wrong: list[str] = []
    environment = _agent_environment(documents)
    if not is_same_address(environment.get("CATTLE_SERVER"), server_url):
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
        if not is_same_address(_decoded(data.get("url")), server_url):
            wrong.append(f"the url in Secret {name} is not {server_url!r}")
    if not _credentials(documents):
        wrong.append("there is no Secret cattle-credentials-…")
    if wrong:
        raise ManifestMismatchError(
            "the import manifest must not be applied: " + "; ".join(wrong) + "."
        )


def _items(document: object) -> Sequence[object]:
    """What a list holds, as `kubectl get -o yaml` writes one; else the document alone."""
    read = _map_in(document)
    return listed(read.get("items")) if read.get("kind") == "List" else [document]


def _map_in(document: object) -> Document:
    return cast(Document, document) if isinstance(document, dict) else {}


def _checked(document: object) -> Document:
    read = _map_in(document)
    if not isinstance(read.get("kind"), str):
        said = " ".join(str(read[key]) for key in ("status", "message") if read.get(key))
        raise ManifestMismatchError(
            "the import manifest holds something that is no Kubernetes object"
            f"{said and f', but an answer: {said[:_SHOWN_CHARACTERS]}'}. Nothing was applied; open "
            "its address in a browser: is it Rancher that answers, with a manifest, and no page of "
            "a proxy?"
        )
    if not entry_of(read).is_cluster_wide:
        return read
    metadata = cast("dict[str, Any]", read["metadata"])
    return {**read, "metadata": {key: metadata[key] for key in metadata if key != "namespace"}}


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
        if entry_of(document).key == CREDENTIALS
    ]


def _decoded(value: object) -> str:
    try:
        return base64.b64decode("".join(str(value or "").split()), validate=True).decode().strip()
    except (binascii.Error, UnicodeDecodeError):
        return ""
