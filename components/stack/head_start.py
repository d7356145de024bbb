"""What a preview will need, begun with while it still reads hosts and cluster."""

import threading
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any, cast

import grpc
import pulumi
from pulumi.runtime import settings as sdk
from pulumi.runtime.proto import resource_pb2, resource_pb2_grpc

from configuration.settings import Settings

# No function of the package of the dynamic resources, and no resource, which it depends on.
_TOKEN, _NO_URN = "pulumi-python:dynamic:nothing", "nothing"
_MODULES = (
    "components.cluster.provider",
    "components.docker.provider",
    "components.stack.longhorn",
    "components.stack.rancher",
)


def take_head_start(settings: Settings) -> None:
    """Begin with the process of the dynamic resources and with imports, and wait for neither.

    In previews alone: they leave nothing in the state, and are what a person waits for.
    """
    if not pulumi.runtime.is_dry_run():
        return
    if _has_dynamic_resources(settings):
        _begin(_start_dynamic_resources)
    if settings.uses_cluster:
        _begin(_import_what_is_declared)


def _has_dynamic_resources(settings: Settings) -> bool:
    """Whether the stack surely has one; for another a preview would show a provider of nothing."""
    stages = settings.stages
    return bool(settings.script_nodes) or (
        stages.longhorn or stages.volume_check or stages.rancher or stages.rancher_import
    )


def _begin(work: Callable[[], None]) -> None:
    threading.Thread(target=work, daemon=True).start()


def _start_dynamic_resources() -> None:
    """Have Pulumi's engine start the process of the dynamic resources.

    It starts it for the first request that names it, which by itself is the first resource. This
    one is refused for what it depends on, once the process runs and before it is asked anything
    (pulumi 3.259, pkg/resource/deploy/source_eval.go, Invoke).
    """
    monitor = sdk.get_monitor()
    if not isinstance(monitor, resource_pb2_grpc.ResourceMonitorStub):
        return
    # Whatever else is wrong with that process is told by the first resource that needs it.
    with suppress(grpc.RpcError):
        cast(Any, monitor).Invoke(
            resource_pb2.ResourceInvokeRequest(tok=_TOKEN, dependsOn=[_NO_URN])
        )


def _import_what_is_declared() -> None:
    """What components/stack/whole.py imports where the stack is more than hosts."""
    for module in _MODULES:
        import_module(module)
