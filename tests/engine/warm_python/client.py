"""Hands over what it was started with and waits; see the package's docstring.

client.py SOCKET -m MODULE ARGUMENT …    imports nothing but what Python starts with in a moment

Whatever else Python may be asked, such as for its version, Python itself does.
"""

import contextlib
import os
import signal
import socket
import sys

KILLED = 137
SHORT = 4
"""Bytes of a number that says how much follows, and of a process's id."""


def main() -> int:
    """The exit status of the process that does the work."""
    words = sys.argv[2:]
    if "-m" not in words[:2]:
        os.execv(sys.executable, [sys.executable, *words])  # noqa: S606
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.connect(sys.argv[1])
    fields = [os.getcwd(), str(len(words)), *words]
    fields += [f"{name}={value}" for name, value in os.environ.items()]
    message = "\0".join(fields).encode(errors="surrogateescape")
    socket.send_fds(server, [len(message).to_bytes(SHORT, "big")], [0, 1, 2])
    server.sendall(message)
    child = int.from_bytes(received(server, SHORT), "big")
    if not child:
        return KILLED

    def pass_on(number: int, _frame: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, pass_on)
    status = received(server, 1)
    return status[0] if status else KILLED


def received(other: socket.socket, count: int) -> bytes:
    """So many bytes; fewer at the end of the connection."""
    found = b""
    while len(found) < count:
        more = other.recv(count - len(found))
        if not more:
            break
        found += more
    return found


if __name__ == "__main__":
    sys.exit(main())
