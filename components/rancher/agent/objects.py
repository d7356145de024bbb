"""An import manifest taken apart into the objects that Pulumi manages. Pure."""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from typing import Any, cast

from components.rancher.agent.known_objects import (
    AGENT,
    CREDENTIALS,
    NAMESPACE,
    REQUIRED,
    Document,
    entry_of,
)
from components.rancher.agent.manifest import read_manifest
from components.rancher.api.errors import ManifestMismatchError

_MINIMUM_SECRET = 8
SELECTOR: Mapping[str, Any] = {"matchLabels": {"app": AGENT}}
"""Which pods the agent's Deployment takes for its own; fixed in Kubernetes, so known for good."""


def identity(key: str) -> dict[str, str]:
    """Name of the object, and its namespace if it is inside one, known before any manifest is."""
    known = REQUIRED[key]
    return {"name": known.name, **({} if known.is_cluster_wide else {"namespace": NAMESPACE})}


def role_of(key: str) -> dict[str, str]:
    """The role that a binding is for."""
    known = REQUIRED[key.replace("binding", "role")]
    return {"apiGroup": "rbac.authorization.k8s.io", "kind": known.kind, "name": known.name}


def agent_objects(manifest: str) -> dict[str, dict[str, Any]]:
    """The objects that every manifest has, by key, the Secret under `credentials`.

    Raises ManifestMismatchError when one is missing or there twice, and when the token stands
    anywhere but in the Secret: it would be readable there.
    """
    found: dict[str, dict[str, Any]] = {}
    twice: list[str] = []
    for document in read_manifest(manifest):
        known = entry_of(document)
        if known.feature:
            continue
        if known.key in found:
            twice.append(f"{known.kind} {document['metadata']['name']}")
        found[known.key] = document
    missing = sorted(set(REQUIRED) - set(found))
    if missing or twice:
        parts = [f"it lacks {', '.join(missing)}"] if missing else []
        parts += [f"it holds a second {', '.join(twice)}"] if twice else []
        raise ManifestMismatchError(
            "the import manifest is not one that this program can manage: "
            f"{'; '.join(parts)}. Nothing was applied."
        )
    _refuse_others(found)
    _refuse_leaks(found)
    return found


def optional_objects(manifest: str) -> list[Document]:
    """The objects that come with a feature of Rancher's, such as the Secret of a registry."""
    return [document for document in read_manifest(manifest) if entry_of(document).feature]


def public_objects(objects: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Everything but the Secret: what a diff may show."""
    return {key: value for key, value in objects.items() if key != CREDENTIALS}


def _refuse_others(objects: Mapping[str, Mapping[str, Any]]) -> None:
    """Stop at a manifest whose fixed parts are not those that a preview showed."""
    differ = [
        key for key in ("admin-binding", "proxy-binding") if not _binds_its_role(objects, key)
    ]
    if objects["deployment"]["spec"]["selector"] != SELECTOR:
        differ.append("deployment")
    if differ:
        raise ManifestMismatchError(
            "the import manifest is not one that this program can manage: its "
            f"{' and '.join(differ)} differ from what every Rancher so far has. "
            "Nothing was applied."
        )


def _binds_its_role(objects: Mapping[str, Mapping[str, Any]], key: str) -> bool:
    given = objects[key]["roleRef"]
    return {"apiGroup": "rbac.authorization.k8s.io", **given} == role_of(key)


def _refuse_leaks(objects: Mapping[str, Mapping[str, Any]]) -> None:
    public = json.dumps(public_objects(objects))
    for name, value in _secret_values(objects[CREDENTIALS]):
        if name == "token" and len(value) >= _MINIMUM_SECRET and value in public:
            raise ManifestMismatchError(
                "the import manifest shows the registration token outside its Secret. Nothing was "
                "applied; such a manifest would put the token in plain text into the state."
            )


def _secret_values(secret: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    data = cast(Mapping[str, str], secret.get("data") or {})
    for name, encoded in data.items():
        try:
            yield name, base64.b64decode(encoded).decode()
        except (binascii.Error, UnicodeDecodeError):
            continue
