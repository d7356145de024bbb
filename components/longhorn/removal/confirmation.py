"""Longhorn's setting deleting-confirmation-flag, without which its uninstall job fails."""

from components.cluster.api import ApiError, ClusterApi
from components.common.waiting import wait_until
from components.longhorn.objects import patch_object, read_object

SETTING = "deleting-confirmation-flag"
# Longhorn's webhook has to answer, and its managers may just be starting.
_RETRIED = (409, 500, 503)
_SECONDS = 120.0


def removal_is_confirmed(cluster: ClusterApi) -> bool:
    """Whether the setting is there and true."""
    return _value(cluster) == "true"


def set_removal_confirmed(cluster: ClusterApi, *, confirmed: bool) -> None:
    """Write the setting if it is there and says otherwise; a Longhorn that is gone has none.

    Raises TimeoutError with Longhorn's answer when it does not take the change in two minutes.
    """
    wanted = "true" if confirmed else "false"

    def missing() -> list[str]:
        if _value(cluster) in (None, wanted):
            return []
        try:
            patch_object(cluster, "settings", SETTING, {"value": wanted})
        except ApiError as error:
            if error.status not in _RETRIED:
                raise
            return [f"{SETTING} {wanted} (the cluster says: {error.body or error})"]
        return []

    wait_until("Longhorn's settings", missing, timeout_seconds=_SECONDS)


def _value(cluster: ClusterApi) -> str | None:
    found = read_object(cluster, "settings", SETTING)
    return None if found is None else str(found.get("value"))
