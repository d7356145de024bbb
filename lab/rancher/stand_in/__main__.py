"""Run the stand-in until it is told to stop: `python3 -m rancher_stand_in` in its image."""

import argparse
import dataclasses
import signal
import threading

from . import faults, options
from .log import log
from .server import StandIn


def main() -> None:
    """Read the environment, listen, and wait for SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description="A test double of the Rancher server.")
    parser.add_argument("--host", default="0.0.0.0")  # noqa: S104
    parser.add_argument("--https-port", type=int, default=443, help="0: any free port")
    parser.add_argument("--http-port", type=int, default=80, help="0: any free port")
    parser.add_argument(
        "--no-cacerts",
        action="store_true",
        help="callers trust what they meet here anyway; goes with no cacerts.pem",
    )
    arguments = parser.parse_args()
    chosen = dataclasses.replace(options.from_environment(), no_cacerts=arguments.no_cacerts)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    stand_in = StandIn(
        chosen,
        faults.from_environment(),
        host=arguments.host,
        https_port=arguments.https_port,
        http_port=arguments.http_port,
    )
    stand_in.start()
    log(f"Listening on {arguments.host}:{stand_in.https_port} and :{stand_in.http_port}")
    stop.wait()
    stand_in.stop()


if __name__ == "__main__":
    main()
