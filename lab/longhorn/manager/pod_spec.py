"""What a pod's specification says about running its one container. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lab.common.progress import LabError

_FIELDS: Mapping[str, Callable[[Any], str]] = {
    "metadata.name": lambda pod: pod.metadata.name,
    "metadata.namespace": lambda pod: pod.metadata.namespace,
    "spec.nodeName": lambda pod: pod.spec.node_name,
    "spec.serviceAccountName": lambda pod: pod.spec.service_account_name,
    "status.podIP": lambda pod: pod.status.pod_ip,
}


@dataclass(frozen=True)
class Probe:
    """Where a container says over HTTPS whether it serves: path with its slash, TCP port."""

    path: str
    port: int


def environment(pod: Any) -> dict[str, str]:
    """The container's variables, those that come from the pod itself resolved.

    Raises LabError for a source that the lab does not know.
    """
    return {each.name: _value(pod, each) for each in pod.spec.containers[0].env or []}


def readiness(pod: Any) -> Probe | None:
    """The container's readiness probe; None where running is all that is asked."""
    probe = pod.spec.containers[0].readiness_probe
    if probe is None or probe.http_get is None:
        return None
    return Probe(probe.http_get.path, int(probe.http_get.port))


def last_words(log: str) -> str:
    """The last line of a log, without the colours and keys around its message."""
    lines = [line for line in log.splitlines() if line.strip()]
    if not lines:
        return ""
    message = re.search(r'\bmsg="((?:[^"\\]|\\.)*)"', lines[-1])
    return message[1].replace('\\"', '"') if message else lines[-1]


def _value(pod: Any, variable: Any) -> str:
    if variable.value_from is None:
        return variable.value or ""
    field = variable.value_from.field_ref
    if field is None or field.field_path not in _FIELDS:
        raise LabError(
            f"pod {pod.metadata.name}: the lab can't give {variable.name} its value from "
            f"{variable.value_from}; it knows the fields {', '.join(_FIELDS)}"
        )
    return _FIELDS[field.field_path](pod)
