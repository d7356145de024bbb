"""Hands over what it was started with and waits; see the package's docstring.

client.py SOCKET -m MODULE ARGUMENT …    imports nothing but what Python starts with in a moment
"""

import contextlib
import os
import signal
import socket
import sys

_KILLED = 137


def main() -> int:
    """The exit status of the process that does the work."""
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.connect(sys.argv[1])
    fields = [os.getcwd(), str(len(sys.argv) - 2), *sys.argv[2:]]
    fields += [f"{name}={value}" for name, value in os.environ.items()]
    message = "\0".join(fields).encode(errors="surrogateescape")
    streams = [0, 1, 2]
    socket.send_fds(server, [len(message).to_bytes(4, "big")], streams)
    server.sendall(message)
    child = int.from_bytes(_received(server, 4), "big")

    def pass_on(number: int, _frame: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, pass_on)
    status = _received(server, 1)
    return status[0] if status else _KILLED


def _received(server: socket.socket, count: int) -> bytes:
    """So many bytes; fewer at the end of the connection."""
    found = b""
    while len(found) < count:
        more = server.recv(count - len(found))
        if not more:
            break
        found += more
    return found


if __name__ == "__main__":
    sys.exit(main())
