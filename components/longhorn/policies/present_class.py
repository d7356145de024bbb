"""The StorageClass that has the name of one of the stack's own already."""

from typing import Any

from components.cluster.api import ClusterApi, unless_missing
from components.longhorn.objects import DRIVER


def read_class(cluster: ClusterApi, name: str) -> Any:
    """Longhorn's class of that name; None if there is none.

    Raises RuntimeError where it is another driver's, and ApiError.
    """
    found = unless_missing(cluster.storage.read_storage_class, name)
    if found is not None and found.provisioner != DRIVER:
        raise RuntimeError(
            f"StorageClass {name} is there already, for the volumes of {found.provisioner}, not of "
            "Longhorn. Give the class of longhorn.storageClasses another name."
        )
    return found


def remove_class(cluster: ClusterApi, name: str) -> bool:
    """Remove the class of that name if it is Longhorn's; whether there was one.

    Raises as read_class.
    """
    if read_class(cluster, name) is None:
        return False
    unless_missing(cluster.storage.delete_storage_class, name)
    return True
