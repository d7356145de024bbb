"""The objects of one volume check: claim, script and the two Jobs. Pure."""

from typing import Any

from configuration.base import quantity_bytes

_SMALLEST_BYTES = 10 * 2**20
_STEP_BYTES = 2 * 2**20
_MOUNT = "/volume"
_SCRIPT_MOUNT = "/script"
_LABELS = {
    "app.kubernetes.io/name": "volume-check",
    "app.kubernetes.io/part-of": "longhorn-rancher",
}


def check_objects(
    props: dict[str, Any], name: str, token: str, given_bytes: int
) -> dict[str, dict[str, Any]]:
    """The bodies of the ConfigMap, the claim and the Jobs `write` and `read`.

    Args:
        props: The inputs of the check.
        name: Name of the claim and prefix of the rest; unique to the run.
        token: Text that the first pod writes and the second must find.
        given_bytes: Size that the volume was given; the first pod proves that it is kept.
    """

    def metadata(suffix: str = "") -> dict[str, Any]:
        return {"name": name + suffix, "namespace": props["namespace"], "labels": dict(_LABELS)}

    return {
        "script": {"metadata": metadata(), "data": {"volume-check.sh": props["script"]}},
        "claim": {
            "metadata": metadata(),
            "spec": {
                "storageClassName": props["storage_class"],
                "accessModes": [props["access_mode"]],
                "resources": {"requests": {"storage": props["size"]}},
            },
        },
        "write": {
            "metadata": metadata("-write"),
            "spec": _job(props, name, "write", token, str(given_bytes)),
        },
        "read": {"metadata": metadata("-read"), "spec": _job(props, name, "read", token)},
    }


def given_without_binding(requested: str) -> int:
    """The bytes that Longhorn gives for a request, where the claim is bound only by its pod.

    At least 10Mi, in steps of 2Mi (Longhorn docs, Volume size; longhorn-manager v1.5.3,
    util.RoundUpSize).
    """
    wanted = max(quantity_bytes(requested), _SMALLEST_BYTES)
    return -(-wanted // _STEP_BYTES) * _STEP_BYTES


def _job(props: dict[str, Any], name: str, action: str, *arguments: str) -> dict[str, Any]:
    return {
        "backoffLimit": 2,
        "activeDeadlineSeconds": int(props["timeout_seconds"]),
        "template": {
            "metadata": {"labels": dict(_LABELS)},
            "spec": {
                "restartPolicy": "Never",
                "automountServiceAccountToken": False,
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
                    {"name": "volume", "persistentVolumeClaim": {"claimName": name}},
                    {"name": "script", "configMap": {"name": name}},
                ],
            },
        },
    }
