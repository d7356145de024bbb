"""Reading and writing the cluster from dynamic resources, beside Pulumi's own provider.

Dynamic resources run in a process of their own, so they open the cluster by the path of the
kubeconfig; its contents never enter the state.
"""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

# The client is generated and has no types, so it enters as Any, here and nowhere else.
import kubernetes.client  # pyright: ignore[reportMissingTypeStubs]
import kubernetes.config  # pyright: ignore[reportMissingTypeStubs]

from configuration.cluster import ClusterSettings

_client: Any = kubernetes.client
_config: Any = kubernetes.config

ApiError: type[Exception] = _client.ApiException
"""What the cluster answers when it refuses; `status_of` tells the HTTP status."""


_MOVED = (
    "If it has moved and the stack file says so: run `pulumi up` without --refresh first, since a "
    "refresh and a destroy go by the path of the last run."
)


# The client keeps certificates of a kubeconfig in files that it shares between threads, and tells
# their names before they are written (kubernetes 35.0.0, config/kube_config.py). Dynamic resources
# run several at a time in one process.
_opening = threading.Lock()


class ClusterApi:
    """The cluster's API groups that this program uses, opened once."""

    def __init__(self, kubeconfig: str, context: str | None) -> None:
        """Open the cluster in this kubeconfig file and context.

        Raises RuntimeError naming the file when it can't be used.
        """
        path = Path(kubeconfig).expanduser()
        try:
            with _opening:
                api: Any = _config.new_client_from_config(config_file=str(path), context=context)
        except (OSError, _config.ConfigException) as error:
            raise RuntimeError(
                f"cluster.kubeconfig {path}: {error}. Give a file that kubectl can use."
            ) from None
        self._api = api
        self.version: Any = _client.VersionApi(api)
        self.core: Any = _client.CoreV1Api(api)
        self.apps: Any = _client.AppsV1Api(api)
        self.batch: Any = _client.BatchV1Api(api)
        self.storage: Any = _client.StorageV1Api(api)
        self.admission: Any = _client.AdmissionregistrationV1Api(api)
        self.extensions: Any = _client.ApiextensionsV1Api(api)
        self.rbac: Any = _client.RbacAuthorizationV1Api(api)
        self.custom: Any = _client.CustomObjectsApi(api)

    def apply_node(self, name: str, body: Mapping[str, Any], field_manager: str) -> None:
        """Server-side apply of fields of a Node, over those of other managers.

        The generated client has no way to send this content type. An object that is not there is
        made, unless the body names its uid.

        Args:
            name: The node's name.
            body: apiVersion, kind, metadata and what else is set.
            field_manager: Whose the fields are.

        Raises ApiError: 409 where the uid is another one or of no object.
        """
        self._api.call_api(
            "/api/v1/nodes/{name}",
            "PATCH",
            {"name": name},
            [("fieldManager", field_manager), ("force", "true")],
            {"Accept": "application/json", "Content-Type": "application/apply-patch+yaml"},
            body=dict(body),
            response_type="object",
            auth_settings=["BearerToken"],
        )


def cluster_inputs(cluster: ClusterSettings) -> dict[str, str | None]:
    """The inputs of a dynamic resource by which `open_cluster` finds the cluster."""
    return {"kubeconfig": cluster.kubeconfig, "context": cluster.context}


def open_cluster(props: Mapping[str, Any]) -> ClusterApi:
    """The cluster that a dynamic resource's inputs `kubeconfig` and `context` name.

    Raises RuntimeError naming the file when it can't be used.
    """
    try:
        return ClusterApi(props["kubeconfig"], props.get("context"))
    except RuntimeError as error:
        raise RuntimeError(f"{error} {_MOVED}") from None


def unless_missing(ask: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """What the cluster answers to a call; None where it has no such thing (404).

    Raises ApiError when it refuses.
    """
    try:
        return ask(*arguments, **options)
    except ApiError as error:
        if status_of(error) == 404:
            return None
        raise


def status_of(error: Exception) -> int:
    """The HTTP status of an ApiError, 0 when there was no answer."""
    return int(getattr(error, "status", None) or 0)
