"""What a provider says while it works."""

import sys
from functools import cache
from typing import Any

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

_PROVIDERS = "pulumi.dynamic.__main__"
_SECONDS = 5.0


def tell(line: str) -> None:
    """Say what is worth reading afterwards, too.

    Pulumi's engine passes a provider's standard error on, as it comes and once more at the end.
    """
    print(line, file=sys.stderr, flush=True)


def show_progress(line: str) -> None:
    """Say what is of use only until it is done: Pulumi shows it as it comes, and not again.

    Where no engine listens it is told.
    """
    engine = _engine()
    if engine is None:
        tell(line)
        return
    said = engine_pb2.LogRequest(severity=engine_pb2.INFO, message=line, ephemeral=True)
    try:
        engine.Log(said, timeout=_SECONDS)
    except grpc.RpcError:
        tell(line)


@cache
def _engine() -> Any:
    """The engine's stub, where this process runs its providers; None in any other process.

    It is the first argument of every resource plugin (pulumi 3.259,
    pkg/resource/plugin/provider_plugin.go); the SDK keeps it from a dynamic provider.
    """
    spec = sys.modules["__main__"].__spec__
    if spec is None or spec.name != _PROVIDERS or len(sys.argv) < 2:
        return None
    return engine_pb2_grpc.EngineStub(grpc.insecure_channel(sys.argv[1]))
