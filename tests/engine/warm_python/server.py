"""Imports what Pulumi's programs need, and forks for each client; see the package's docstring.

server.py SOCKET PROCESS    until that process has ended
"""

import gc
import importlib
import io
import os
import runpy
import signal
import socket
import sys
import threading
import traceback
from pathlib import Path

from tests.engine.warm_python.client import KILLED, SHORT, received

_IMPORTED = (
    "asyncssh",
    "docker",
    "dill",
    "grpc.aio",
    "httpx",
    "kubernetes.client",
    "kubernetes.config",
    "pulumi.automation",
    "pulumi.dynamic",
    "pulumi.metadata",
    "pulumi.runtime._serialization",
    "pulumi_command.remote",
    "pulumi_docker",
    "pulumi_kubernetes.apps.v1",
    "pulumi_kubernetes.core.v1",
    "pulumi_kubernetes.helm.v3",
    "pulumi_kubernetes.rbac.v1",
    "components.preflight.findings",
    "components.stack.outputs",
    "components.stack.readme",
    "components.stack.whole",
    "configuration.settings",
    "lab.programs.command_stand_in.remote_command",
    "lab.programs.docker_stand_in.provider",
    "lab.programs.plugin_base.serving",
    "tests.engine.program_host",
)
_LOOK_SECONDS = 2.0


def main() -> None:
    """Serve."""
    path, run = Path(sys.argv[1]), Path("/proc", sys.argv[2])
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    own = [entry for entry in sys.path[1:] if entry not in given]
    for name in _IMPORTED:
        importlib.import_module(name)
    # A thread would be gone in a child, and whatever it holds locked would stay so.
    assert threading.active_count() == 1, threading.enumerate()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path.with_suffix(".new")))
    listener.listen(64)
    path.with_suffix(".new").rename(path)
    # What is not looked at for garbage stays shared with the children.
    gc.freeze()
    gc.disable()
    # Nobody asks how a child ended: it has told its client.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listener.settimeout(_LOOK_SECONDS)
    while run.exists():
        try:
            client, _ = listener.accept()
        except TimeoutError:
            continue
        if os.fork() == 0:
            listener.close()
            _become(client, own)
        client.close()


def _become(client: socket.socket, own: list[str]) -> None:
    """Be the process that the client was started as, and end."""
    status = 1
    try:
        gc.enable()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        size, streams, _, _ = socket.recv_fds(client, SHORT, 3)
        fields = received(client, int.from_bytes(size, "big"))
        folder, count, *rest = fields.decode(errors="surrogateescape").split("\0")
        arguments, environment = rest[: int(count)], rest[int(count) :]
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        sys.stdin = os.fdopen(0, "r", closefd=False)
        sys.stdout, sys.stderr = map(_unbuffered, (1, 2))
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(dict(each.split("=", 1) for each in environment))
        client.sendall(os.getpid().to_bytes(SHORT, "big"))
        threading.Thread(target=_end_with, args=(client,), daemon=True).start()
        if arguments[0] == "-u":  # as every stream is here
            del arguments[0]
        flag, module, *words = arguments
        assert flag == "-m", arguments
        given = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
        sys.path[:] = [folder, *given, *own]
        sys.argv = [module, *words]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        client.sendall(bytes([status % 256]))
        os._exit(status)


def _unbuffered(stream: int) -> io.TextIOWrapper:
    return io.TextIOWrapper(os.fdopen(stream, "wb", 0, closefd=False), write_through=True)


def _end_with(client: socket.socket) -> None:
    """Whoever killed the client means this process."""
    client.recv(1)
    os._exit(KILLED)


if __name__ == "__main__":
    main()
