"""The objects of one volume check: claims, script and Jobs. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from configuration.base import quantity_bytes

_SMALLEST_BYTES = 10 * 2**20
_STEP_BYTES = 2 * 2**20
_MOUNT = "/volume"
_SCRIPT_MOUNT = "/script"
LABELS = {
    "app.kubernetes.io/name": "volume-check",
    "app.kubernetes.io/part-of": "longhorn-rancher",
}
"""Of every object of a check."""
SELECTOR = ",".join(f"{key}={value}" for key, value in LABELS.items())
"""Finds the objects of every check."""


def script_of(props: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The ConfigMap with the script that the Jobs run.

    Args:
        props: The inputs of the check.
        name: Of script and claim, and prefix of the Jobs; unique to the run.
    """
    return {
        "metadata": _metadata(props, name),
        "data": {"volume-check.sh": props["script"]},
    }


def claim_of(
    props: Mapping[str, Any], name: str, storage_class: str | None = None
) -> dict[str, Any]:
    """The claim; the class is the one to check where no other is given, the rest as script_of."""
    return {
        "metadata": _metadata(props, name),
        "spec": {
            "storageClassName": storage_class or props["storage_class"],
            "accessModes": [props["access_mode"]],
            "resources": {"requests": {"storage": props["size"]}},
        },
    }


def job_of(
    props: Mapping[str, Any], name: str, step: str, *arguments: str, claim: str | None = None
) -> dict[str, Any]:
    """The Job of one step, in a pod of its own.

    Args:
        props: The inputs of the check.
        name: As for script_of.
        step: `write`, `read`, `store` or `hash`.
        arguments: What volume-check.sh takes behind the mount point.
        claim: The claim's name where it is another.
    """
    return {
        "metadata": _metadata(props, f"{name}-{step}"),
        "spec": _job(props, name, step, arguments, claim or name),
    }


def given_without_binding(requested: str) -> int:
    """The bytes that Longhorn gives for a request, where the claim is bound only by its pod.

    At least 10Mi, in steps of 2Mi (Longhorn docs, Volume size; longhorn-manager v1.5.3,
    util.RoundUpSize).
    """
    wanted = max(quantity_bytes(requested), _SMALLEST_BYTES)
    return -(-wanted // _STEP_BYTES) * _STEP_BYTES


def _metadata(props: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {"name": name, "namespace": props["namespace"], "labels": dict(LABELS)}


def _job(
    props: Mapping[str, Any], name: str, action: str, arguments: Sequence[str], claim: str
) -> dict[str, Any]:
    return {
        "backoffLimit": 2,
        "activeDeadlineSeconds": int(props["timeout_seconds"]),
        "template": {
            "metadata": {"labels": dict(LABELS)},
            "spec": {
                "restartPolicy": "Never",
                "automountServiceAccountToken": False,
                "tolerations": list(props.get("tolerations") or []),
                "imagePullSecrets": [{"name": name} for name in [props.get("pull_secret")] if name],
                "containers": [
                    {
                        "name": "check",
                        "image": props["image"],
                        "command": [
                            "sh",
                            "-c",
                            # The report reaches the API server as the termination message, which
                            # needs no permission to read logs.
                            'exec sh "$0" "$@" >/dev/termination-log',
                            f"{_SCRIPT_MOUNT}/volume-check.sh",
                            action,
                            _MOUNT,
                            *arguments,
                        ],
                        "terminationMessagePolicy": "FallbackToLogsOnError",
                        "volumeMounts": [
                            {"name": "volume", "mountPath": _MOUNT},
                            {"name": "script", "mountPath": _SCRIPT_MOUNT, "readOnly": True},
                        ],
                    }
                ],
                "volumes": [
                    {"name": "volume", "persistentVolumeClaim": {"claimName": claim}},
                    {"name": "script", "configMap": {"name": name}},
                ],
            },
        },
    }
