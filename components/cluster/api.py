"""Reading and writing the cluster from dynamic resources, beside Pulumi's own provider.

Dynamic resources run in a process of their own, so they open the cluster by the path of the
kubeconfig; its contents never enter the state. The client is imported when a cluster is opened:
that takes half a second.
"""

import functools
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from components.common.answers import mapped
from configuration.cluster import ClusterSettings

_MOVED = (
    "If it has moved and the stack file says so: run `pulumi up` without --refresh first, since a "
    "refresh and a destroy go by the path of the last run."
)

_PAGE = 500

# The client keeps certificates of a kubeconfig in files that it shares between threads, and tells
# their names before they are written (kubernetes 35.0.0, config/kube_config.py). Dynamic resources
# run several at a time in one process.
_opening = threading.Lock()


class ApiError(Exception):
    """What the cluster answers when it refuses."""

    def __init__(self, status: int, words: str = "", *, reason: str = "", body: str = "") -> None:
        """Say what it answered.

        Args:
            status: The HTTP status; 0 where there was no answer.
            words: All of the answer, for a message.
            reason: Its own name for the status.
            body: What came behind the headers.
        """
        super().__init__(words)
        self.status = status
        self.reason = reason
        self.body = body


class _Group:
    """A group of the client's calls, which raise ApiError and nothing of the client's own."""

    def __init__(self, group: Any, refused: type[Exception]) -> None:
        self._group = group
        self._refused = refused

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return functools.partial(self._ask, getattr(self._group, name))

    def _ask(self, call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        try:
            return call(*arguments, **options)
        except self._refused as error:
            told: Any = error
            body = told.body or ""
            raise ApiError(
                int(told.status or 0),
                str(error),
                reason=str(told.reason or ""),
                body=body.decode(errors="replace") if isinstance(body, bytes) else str(body),
            ) from None


class ClusterApi:
    """The cluster's API groups that this program uses, opened once."""

    def __init__(self, kubeconfig: str, context: str | None) -> None:
        """Open the cluster in this kubeconfig file and context.

        Raises RuntimeError naming the file when it can't be used.
        """
        # The client is generated and has no types, so it enters as Any, here and nowhere else.
        import kubernetes.client  # pyright: ignore[reportMissingTypeStubs]
        import kubernetes.config  # pyright: ignore[reportMissingTypeStubs]

        client: Any = kubernetes.client
        config: Any = kubernetes.config
        path = Path(kubeconfig).expanduser()
        try:
            with _opening:
                api: Any = config.new_client_from_config(config_file=str(path), context=context)
        except (OSError, config.ConfigException) as error:
            raise RuntimeError(
                f"cluster.kubeconfig {path}: {error}. Give a file that kubectl can use."
            ) from None

        def group(name: str) -> Any:
            return _Group(getattr(client, name)(api), client.ApiException)

        self.any: Any = _Group(api, client.ApiException)
        """Calls by path, for what no group has."""
        self.version = group("VersionApi")
        self.core = group("CoreV1Api")
        self.apps = group("AppsV1Api")
        self.batch = group("BatchV1Api")
        self.storage = group("StorageV1Api")
        self.admission = group("AdmissionregistrationV1Api")
        self.extensions = group("ApiextensionsV1Api")
        self.rbac = group("RbacAuthorizationV1Api")
        self.custom = group("CustomObjectsApi")

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
        self.any.call_api(
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


def listed_plainly(
    ask: Callable[..., Any], *where: Any, **options: Any
) -> Iterator[dict[str, Any]]:
    """The objects of a list as Kubernetes writes them, asked for in pages.

    The client takes ten times as long to make objects of its own of a large list.
    Arguments and errors as for `in_pages`.
    """

    def plainly(*where: Any, **options: Any) -> Any:
        return json.loads(ask(*where, **options, _preload_content=False).data)

    yield from in_pages(plainly, *where, **options)


def in_pages(ask: Callable[..., Any], *where: Any, **options: Any) -> Iterator[dict[str, Any]]:
    """The objects of a list, asked for in pages.

    Args:
        ask: The client's call for the list, which answers with a map.
        where: What it takes, such as a namespace.
        options: What else it takes, such as `_request_timeout`.

    Raises ApiError.
    """
    page: dict[str, Any] = {"limit": _PAGE}
    while True:
        found = ask(*where, **options, **page)
        yield from found["items"] or ()
        following = mapped(found.get("metadata")).get("continue")
        if not following:
            return
        page = {"limit": _PAGE, "_continue": following}


def unless_missing(ask: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """What the cluster answers to a call; None where it has no such thing (404).

    Raises ApiError when it refuses.
    """
    try:
        return ask(*arguments, **options)
    except ApiError as error:
        if error.status == 404:
            return None
        raise
