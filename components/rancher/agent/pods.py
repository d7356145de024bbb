"""Why a pod of the agent does not run, in Kubernetes's own words. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from components.common.answers import listed, mapped

_LONGEST = 300


def pods_problem(pods: Iterable[Mapping[str, Any]]) -> str:
    """What the newest pod that is not on its way out waits for; empty where none says anything.

    Such as an image that is nowhere, a container that ends again and again, or no node for it.

    Args:
        pods: As the API server has them.
    """
    staying = [pod for pod in pods if not mapped(pod.get("metadata")).get("deletionTimestamp")]
    newest = sorted(staying, key=_age, reverse=True)
    return next((said for pod in newest for said in _said(mapped(pod.get("status")))), "")


def _age(pod: Mapping[str, Any]) -> str:
    return str(mapped(pod.get("metadata")).get("creationTimestamp") or "")


def _said(status: Mapping[str, Any]) -> Iterator[str]:
    for condition in listed(status.get("conditions")):
        if (condition.get("type"), condition.get("status")) == ("PodScheduled", "False"):
            yield _line(condition)
    for container in listed(status.get("containerStatuses")):
        waiting = mapped(mapped(container.get("state")).get("waiting"))
        if waiting.get("message"):
            yield _line(waiting)


def _line(found: Mapping[str, Any]) -> str:
    words = (str(found.get(key) or "") for key in ("reason", "message"))
    return " ".join(": ".join(word for word in words if word).split())[:_LONGEST]
