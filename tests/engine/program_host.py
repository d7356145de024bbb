"""Hosts one program for one engine operation, in a process of its own, for engine.py.

A program that ran leaves threads, event loops and module state behind in Python, so each operation
gets a fresh process. Reads what to run as JSON on stdin, prints the port at which the engine
can reach the program, and serves until stdin is closed. Not a test, and not for use from tests.
"""

import importlib
import json
import os
import runpy
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2_grpc

_LARGEST_MESSAGE_BYTES = 400 * 1024 * 1024


def main() -> None:
    """Serve the program that the first line of stdin describes."""
    # The program may print; that must not be taken for the port.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    wanted: dict[str, Any] = json.loads(sys.stdin.readline())
    server = grpc.server(
        ThreadPoolExecutor(max_workers=4),
        options=[
            ("grpc.max_receive_message_length", _LARGEST_MESSAGE_BYTES),
            ("grpc.max_send_message_length", _LARGEST_MESSAGE_BYTES),
        ],
    )
    program = _program(wanted, Path(wanted["work_dir"]))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(LanguageServer(program), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, file=answers, flush=True)
    sys.stdin.read()
    server.stop(grace=None)
    # Threads of an unfinished program would keep the process alive.
    os._exit(0)


def _program(wanted: dict[str, Any], work_dir: Path) -> Callable[[], None]:
    """The program to run: a function by its name, or the project's own __main__.py."""
    os.chdir(work_dir)
    if wanted["function"] is None:
        sys.path.insert(0, str(work_dir))

        def run_project() -> None:
            runpy.run_path(str(work_dir / "__main__.py"), run_name="__main__")

        return run_project
    module, name = wanted["function"]
    function = getattr(importlib.import_module(module), name)

    def run_function() -> None:
        function(**wanted["arguments"])

    return run_function


if __name__ == "__main__":
    main()
