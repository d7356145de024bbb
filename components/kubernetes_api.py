"""Reading and writing the cluster from dynamic resources, beside the engine's own provider.

Dynamic resources run in a process of their own, so they open the cluster by the path of the
kubeconfig; its contents never enter the state.
"""

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

# The client is generated and has no types, so it enters as Any, here and nowhere else.
import kubernetes.client  # pyright: ignore[reportMissingTypeStubs]
import kubernetes.config  # pyright: ignore[reportMissingTypeStubs]

_client: Any = kubernetes.client
_config: Any = kubernetes.config
_POLL_SECONDS = 1.0
_HEARTBEAT_SECONDS = 30.0

ApiError: type[Exception] = _client.ApiException
"""What the cluster answers when it refuses; `status_of` tells the HTTP status."""


class ClusterApi:
    """The cluster's API groups that this program uses, opened once."""

    def __init__(self, kubeconfig: str, context: str | None) -> None:
        """Open the cluster in this kubeconfig file and context.

        Raises RuntimeError naming the file when it can't be used.
        """
        path = Path(kubeconfig).expanduser()
        try:
            api: Any = _config.new_client_from_config(config_file=str(path), context=context)
        except (OSError, _config.ConfigException) as error:
            raise RuntimeError(
                f"cluster.kubeconfig {path}: {error}. Give a file that kubectl can use."
            ) from None
        self.version: Any = _client.VersionApi(api)
        self.core: Any = _client.CoreV1Api(api)
        self.apps: Any = _client.AppsV1Api(api)
        self.batch: Any = _client.BatchV1Api(api)
        self.storage: Any = _client.StorageV1Api(api)
        self.admission: Any = _client.AdmissionregistrationV1Api(api)
        self.extensions: Any = _client.ApiextensionsV1Api(api)
        self.custom: Any = _client.CustomObjectsApi(api)


def open_cluster(props: Mapping[str, Any]) -> ClusterApi:
    """The cluster that a dynamic resource's inputs `kubeconfig` and `context` name."""
    return ClusterApi(props["kubeconfig"], props.get("context"))


def listed(value: Any) -> list[Any]:
    """A list of the API's, which leaves an empty one out altogether."""
    return [] if value is None else list(value)


def mapped(value: Any) -> dict[str, Any]:
    """A map of the API's, which leaves an empty one out altogether."""
    return {} if value is None else dict(value)


def status_of(error: Exception) -> int:
    """The HTTP status of an ApiError, 0 when there was no answer."""
    return int(getattr(error, "status", None) or 0)


def tell(line: str) -> None:
    """Show a line of progress; the engine passes a provider's standard error on."""
    print(line, file=sys.stderr, flush=True)


def wait_until(
    what: str,
    missing: Callable[[], list[str]],
    *,
    timeout_seconds: float,
    say: Callable[[str], None] = tell,
    still: str = "Still missing",
) -> None:
    """Wait until `missing` lists nothing more.

    Args:
        what: What is waited for, for messages.
        missing: Tells what is not as it should be yet, one line each; reads anew at every call.
        timeout_seconds: The deadline.
        say: Receives a line of progress every 30 s.
        still: What the listed things are at the deadline, for its message.

    Raises TimeoutError with everything that is still missing.
    """
    started = time.monotonic()
    told = started
    while True:
        left = missing()
        if not left:
            return
        now = time.monotonic()
        if now - started > timeout_seconds:
            raise TimeoutError(
                f"{what}: not reached within {timeout_seconds:.0f} s. {still}: {'; '.join(left)}"
            )
        if now - told > _HEARTBEAT_SECONDS:
            say(f"{what}: {'; '.join(left[:3])}")
            told = now
        time.sleep(_POLL_SECONDS)
