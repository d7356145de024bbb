"""The language host that Pulumi's engine talks to: starts the program and reports how it ended.

A stand-in; see the package's docstring. It is copied out of the project and run as a script, so it
imports nothing of the project, only the pulumi SDK.
"""

import json
import os
import platform
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import (
    LanguageRuntimeServicer,
    add_LanguageRuntimeServicer_to_server,
    language_pb2,
    plugin_pb2,
)

# Pulumi's own limit for messages: a program's configuration may be larger than gRPC's 4 MiB.
_MESSAGE_BYTES = 400 * 1024 * 1024
# The exit status by which program.py says that it has already reported what went wrong.
_ALREADY_REPORTED = 32


def interpreter(root: Path, options: dict[str, Any]) -> str:
    """The Python that Pulumi's own language host would run a program with.

    It is the one of the virtual environment that Pulumi.yaml names, else PULUMI_PYTHON_CMD, else
    `python3` on PATH. FileNotFoundError when the environment is not there; Pulumi's own would make
    one and install requirements.txt into it.
    """
    folder = options.get("virtualenv")
    if not folder:
        return os.environ.get("PULUMI_PYTHON_CMD") or "python3"
    python = root / str(folder) / "bin" / "python"
    if not python.is_file():
        raise FileNotFoundError(
            f"Pulumi.yaml names the virtual environment {folder}, but {python} is not there"
        )
    return str(python)


class LanguageHost(LanguageRuntimeServicer):
    """Runs Python programs for one engine of Pulumi's."""

    def __init__(self, engine: str) -> None:
        self._engine = engine
        self._program: subprocess.Popen[bytes] | None = None

    def Handshake(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        self._engine = request.engine_address or self._engine
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        return plugin_pb2.PluginInfo(version="0.0.0-stand-in")

    def About(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        return language_pb2.AboutResponse(
            executable=sys.executable,
            version=platform.python_version(),
            metadata={"languageHost": "the lab's stand-in"},
        )

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        # Pulumi looks each plugin up when a resource first needs it. Naming them here would
        # make it download the missing ones, which is what a lab without a network can't do.
        return language_pb2.GetRequiredPackagesResponse()

    def GetProgramDependencies(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        return language_pb2.GetProgramDependenciesResponse()

    def RuntimeOptionsPrompts(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        return language_pb2.RuntimeOptionsResponse()

    def InstallDependencies(self, request: Any, context: Any) -> Iterator[Any]:  # noqa: N802, ARG002
        yield language_pb2.InstallDependenciesResponse(
            stderr=b"The lab's language host installs nothing; install requirements.lock.\n"
        )

    def Run(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        root = Path(request.info.root_directory)
        try:
            python = interpreter(root, dict(request.info.options))
        except FileNotFoundError as missing:
            return language_pb2.RunResponse(error=str(missing))
        settings = {
            "project": request.project,
            "stack": request.stack,
            "organization": request.organization or "organization",
            "parallel": request.parallel,
            "dry_run": request.dryRun,
            "monitor": request.monitor_address,
            "engine": self._engine,
            "root_directory": str(root),
        }
        self._program = subprocess.Popen(
            [
                python,
                "-u",
                Path(__file__).with_name("program.py"),
                Path(request.info.program_directory) / request.info.entry_point,
                *request.args,
            ],
            cwd=request.pwd,
            env={
                **os.environ,
                "LAB_PROGRAM_SETTINGS": json.dumps(settings),
                "PULUMI_CONFIG": json.dumps(dict(request.config)),
                "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
            },
        )
        status = self._program.wait()
        if status == _ALREADY_REPORTED:
            return language_pb2.RunResponse(bail=True)
        if status != 0:
            return language_pb2.RunResponse(error=f"the program ended with exit status {status}")
        return language_pb2.RunResponse()

    def Cancel(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        self.end_program()
        return empty_pb2.Empty()

    def end_program(self) -> None:
        """Ask a program that still runs to end."""
        if self._program is not None and self._program.poll() is None:
            self._program.terminate()


def main() -> None:
    """Serve until Pulumi's engine interrupts this process; the first line printed is the port."""
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    server = grpc.server(
        ThreadPoolExecutor(max_workers=8),
        options=[
            ("grpc.max_send_message_length", _MESSAGE_BYTES),
            ("grpc.max_receive_message_length", _MESSAGE_BYTES),
        ],
    )
    # The address of Pulumi's engine is always the last argument.
    host = LanguageHost(sys.argv[-1])
    add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    done.wait()
    host.end_program()


if __name__ == "__main__":
    main()
