"""An import manifest taken apart into the nine objects that the engine manages. Pure."""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from typing import Any, cast

from components.rancher.agent.manifest import AGENT, NAMESPACE, read_manifest
from components.rancher.api.errors import ManifestMismatchError

_CREDENTIALS = "credentials"
# Key of each object and how the manifest names it. The Secret's name ends in a hash.
_OBJECTS: Mapping[str, tuple[str, str]] = {
    "namespace": ("Namespace", "cattle-system"),
    "service-account": ("ServiceAccount", "cattle"),
    "admin-role": ("ClusterRole", "cattle-admin"),
    "admin-binding": ("ClusterRoleBinding", "cattle-admin-binding"),
    "proxy-role": ("ClusterRole", "proxy-clusterrole-kubeapiserver"),
    "proxy-binding": ("ClusterRoleBinding", "proxy-role-binding-kubernetes-master"),
    "service": ("Service", "cattle-cluster-agent"),
    "deployment": ("Deployment", "cattle-cluster-agent"),
}
_MINIMUM_SECRET = 8
SELECTOR: Mapping[str, Any] = {"matchLabels": {"app": AGENT}}
"""Which pods the agent's Deployment takes for its own; fixed in Kubernetes, so known for good."""


def identity(key: str) -> dict[str, str]:
    """Name of the object, and its namespace if it is inside one, known before any manifest is."""
    kind, name = _OBJECTS[key]
    is_inside = kind in ("ServiceAccount", "Service", "Deployment")
    return {"name": name, "namespace": NAMESPACE} if is_inside else {"name": name}


def role_of(key: str) -> dict[str, str]:
    """The role that a binding is for."""
    kind, name = _OBJECTS[key.replace("binding", "role")]
    return {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}


def agent_objects(manifest: str) -> dict[str, dict[str, Any]]:
    """The manifest's objects by key, the Secret under `credentials`.

    Raises ManifestMismatchError when an object is missing or one is there that the engine would
    not manage, and when the token stands anywhere but in the Secret: it would be readable there.
    """
    documents = read_manifest(manifest)
    by_name = {(d["kind"], d["metadata"]["name"]): d for d in documents}
    found = {key: by_name.pop(name) for key, name in _OBJECTS.items() if name in by_name}
    secrets = [name for name in by_name if name[0] == "Secret"]
    if len(secrets) == 1:
        found[_CREDENTIALS] = by_name.pop(secrets[0])
    missing = sorted({*_OBJECTS, _CREDENTIALS} - set(found))
    if missing or by_name:
        unknown = ", ".join(f"{kind} {name}" for kind, name in sorted(by_name))
        raise ManifestMismatchError(
            "the import manifest is not one that this program can manage: "
            + "; ".join(
                part
                for part in (
                    f"it lacks {', '.join(missing)}" if missing else "",
                    f"it holds {unknown}" if unknown else "",
                )
                if part
            )
            + ". Nothing was applied."
        )
    _refuse_others(found)
    _refuse_leaks(found)
    return found


def public_objects(objects: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Everything but the Secret: what a diff may show."""
    return {key: value for key, value in objects.items() if key != _CREDENTIALS}


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
    for name, value in _secret_values(objects[_CREDENTIALS]):
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
