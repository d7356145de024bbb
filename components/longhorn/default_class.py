"""`longhorn` as the one default StorageClass: what is in its way, and who was the default before.

A cluster with two default classes gives a claim without a class to either, or to none (Kubernetes
before 1.26). So the mark comes off the others, and goes back on them when the stack wants it no
more. Each carries the stack that took it, so that only that one gives it back.
"""

from components.cluster.api import ClusterApi
from components.longhorn.missing import STORAGE_CLASS
from components.longhorn.snapshot import DEFAULT_CLASS_KEYS, TAKEN_FROM, Snapshot


def class_finding(snapshot: Snapshot, *, wants_default_class: bool) -> str | None:
    """That `longhorn` is not the one default StorageClass, where it is to be it. Pure."""
    if not wants_default_class or STORAGE_CLASS not in snapshot.storage_classes:
        return None
    others = ", ".join(_others(snapshot))
    if STORAGE_CLASS in snapshot.default_classes:
        return f"StorageClass {others} is the default beside {STORAGE_CLASS}" if others else None
    return f"StorageClass {STORAGE_CLASS} is not the default, and {others or 'no other'} is"


def take_default_class(cluster: ClusterApi, snapshot: Snapshot, owner: str) -> bool:
    """Make `longhorn` the one default class, if it is there; tells whether that changed anything.

    Args:
        snapshot: What the cluster has.
        owner: What marks this stack's things (components/common/owner.py).
    """
    if STORAGE_CLASS not in snapshot.storage_classes:
        return False
    others, is_default = _others(snapshot), STORAGE_CLASS in snapshot.default_classes
    for name in others:
        _annotate(cluster, name, is_default=False, taken_by=owner)
    if not is_default:
        _annotate(cluster, STORAGE_CLASS, is_default=True)
    return bool(others) or not is_default


def give_back_default_class(cluster: ClusterApi, snapshot: Snapshot, owner: str) -> bool:
    """Make those classes the default again that were it before; nothing where another is by now.

    Arguments and answer as for take_default_class.
    """
    own = [name for name, taker in snapshot.taken_classes.items() if taker == owner]
    if own and STORAGE_CLASS in snapshot.default_classes:
        _annotate(cluster, STORAGE_CLASS, is_default=False)
    for name in own:
        _annotate(cluster, name, is_default=not _others(snapshot), taken_by=None)
    return bool(own)


def _others(snapshot: Snapshot) -> list[str]:
    return [name for name in snapshot.default_classes if name != STORAGE_CLASS]


def _annotate(
    cluster: ClusterApi, name: str, *, is_default: bool, taken_by: str | None = None
) -> None:
    stable, beta = DEFAULT_CLASS_KEYS
    marks = {stable: "true" if is_default else "false", beta: None, TAKEN_FROM: taken_by}
    cluster.storage.patch_storage_class(name, {"metadata": {"annotations": marks}})
