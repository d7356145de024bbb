"""Objects that somebody deleted or changed in the cluster, put right.

Pulumi's plugin for Kubernetes compares the stack file with the state alone, sees what happened in
the cluster with --refresh only, and does not update what is gone (pulumi-kubernetes 4.32.0,
provider/pkg/await/await.go, Update).
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pulumi

from components.cluster.api import ApiError, ClusterApi, cluster_inputs, open_cluster
from components.cluster.kept_rules import (
    Document,
    foreign_annotations,
    is_balancer,
    named,
    object_path,
    object_problem,
    own_part,
    whole,
)
from components.cluster.objects import (
    MANAGER,
    apply_object,
    merge_object,
    read_object,
    replace_object,
)
from components.common.answers import is_going, listed, mapped
from components.common.dynamic import FINDING, DynamicProvider, DynamicResource, Properties
from components.common.progress import tell
from components.common.waiting import wait_until
from configuration.cluster import ClusterSettings

# For an object with finalizers, such as a Service whose load balancer is taken down.
_PATIENCE = 300.0
_LONGEST = 300
_INVALID = 422
_OBJECTS, _APPLIED = "objects", "applied"


def kept_finding(cluster: ClusterApi, documents: Iterable[Document]) -> str | None:
    """Which of the objects are gone or changed, in one line. Raises ApiError."""
    problems = (object_problem(each, read_object(cluster, object_path(each))) for each in documents)
    return "; ".join(each for each in problems if each) or None


class KeptObjectsProvider(DynamicProvider):
    """Writes only what is gone or differs. Their own resources remove what the stack gives up."""

    outputs = (_APPLIED,)

    def make(self, new: Properties) -> tuple[str, Properties]:
        """Put right what is not as wanted.

        Raises RuntimeError where the cluster refuses an object, or something there changes it
        back, and TimeoutError while one of its name does not go.
        """
        return "kept-objects", _kept(new, is_owner=False)

    def differences(self, old: Properties, new: Properties) -> set[str]:
        """A change in the stack file is their own resources' to make.

        But where something was put right here, Kubernetes has the fields as this one's, too, and
        keeps those that only their own resource gives up.
        """
        changed = super().differences(old, new)
        return changed if old.get(_APPLIED) else changed - {_OBJECTS}

    def change(self, old: Properties, new: Properties) -> Properties:
        """As `make`."""
        return _kept(new, is_owner=bool(old.get(_APPLIED)))


def _kept(props: Properties, *, is_owner: bool) -> Properties:
    cluster = open_cluster(props)
    documents: list[Document] = json.loads(props[_OBJECTS])
    written = [_keep(cluster, each, is_owner=is_owner) for each in documents]
    return {**props, _APPLIED: is_owner or any(written)}


def _keep(cluster: ClusterApi, document: Document, *, is_owner: bool) -> bool:
    """Write it where it differs, or fields of it are this program's; tells whether it did."""
    path, name = object_path(document), named(document)
    found: Document | None = None

    def missing() -> list[str]:
        nonlocal found
        found = read_object(cluster, path)
        return [f"the end of the former {name}"] if found is not None and is_going(found) else []

    wait_until(name, missing, timeout_seconds=_PATIENCE)
    problem = object_problem(document, found)
    if problem is None and not (is_owner or _has_written(found)):
        return False
    try:
        _write(cluster, document, found)
        left = object_problem(document, read_object(cluster, path))
    except ApiError as error:
        said = " ".join((error.body or str(error)).split())[:_LONGEST]
        raise RuntimeError(f"{problem or name}, and the cluster refuses it: {said}") from None
    if left:
        raise RuntimeError(
            f"{left}, again right after it was written: an admission webhook or an operator in the "
            "cluster changes it. Stop that, or write in the stack file what it makes of it."
        )
    if problem:
        tell(f"{problem}: put right")
    if found is None and is_balancer(document):
        tell(f"{name} may have another address now: `pulumi up --refresh` shows it")
    return True


def _write(cluster: ClusterApi, document: Document, found: Document | None) -> None:
    """Apply it; where that leaves or refuses something, put the wanted in the place of what is."""
    path = object_path(document)
    foreign = foreign_annotations(document, found)
    if foreign:
        merge_object(cluster, path, {"metadata": {"annotations": dict.fromkeys(foreign)}})
    try:
        applied = apply_object(cluster, path, own_part(document))
        if object_problem(document, applied) is None:
            return
    except ApiError as error:
        if found is None or error.status != _INVALID:
            raise
    now = read_object(cluster, path)
    if now is not None:
        replace_object(cluster, path, whole(document, now))


def _has_written(found: Mapping[str, Any] | None) -> bool:
    """Whether fields are this program's, as after a repair of which the state knows nothing."""
    managers = listed(mapped(mapped(found).get("metadata")).get("managedFields"))
    return any(each.get("manager") == MANAGER for each in managers)


class KeptObjects(DynamicResource, module="cluster", name="KeptObjects"):
    """Sees to it that objects of the stack are there as it has them, and owns none."""

    def __init__(
        self,
        name: str,
        *,
        cluster: ClusterSettings,
        objects: pulumi.Input[str],
        finding: str | None,
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Declare it.

        Args:
            name: The resource's name.
            cluster: How the cluster is reached.
            objects: JSON list of the objects, as their own resources make them (secret where one
                holds a secret).
            finding: Which of them are not so right now.
            opts: Behind the resources of all of them.
        """
        inputs = {**cluster_inputs(cluster), _OBJECTS: objects, FINDING: finding}
        super().__init__(KeptObjectsProvider(), name, inputs, opts)
