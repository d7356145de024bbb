"""What may be said on the command line of `make new`, each in place of a question."""

import argparse
from pathlib import Path
from typing import Any

from configuration.cluster import ClusterSettings
from tools.new.answers import fitting
from tools.new.person import StoppedError
from tools.offline.stack_file import PROJECT


def parser() -> argparse.ArgumentParser:
    """The parser of the command line."""
    made: Any = argparse.ArgumentParser(
        "python -m tools.new", description="Write a stack file from the cluster; touch nothing."
    )
    made.add_argument(
        "stack", type=_stack, help="name of the new stack, also the cluster's name in Rancher"
    )
    made.add_argument("--kubeconfig", help="file with access to the cluster")
    made.add_argument("--context", help="context in that file; the current one if not given")
    made.add_argument("--user", help="SSH user on the nodes")
    made.add_argument("--port", type=int, default=22, help="SSH port of the nodes")
    made.add_argument("--private-key-file", help="SSH private key; empty: the SSH agent")
    made.add_argument(
        "--jump-host",
        metavar="[USER@]HOST[:PORT]",
        help="host through which the nodes are reached; else asked for where they are not",
    )
    made.add_argument("--rancher-url", help="address of a new Rancher server; empty: none")
    made.add_argument("--docker-host", help="where Rancher runs: unix:// or ssh://")
    made.add_argument(
        "--known-hosts",
        type=Path,
        default=Path("~/.ssh/known_hosts").expanduser(),
        help="host keys that you trust already",
    )
    made.add_argument(
        "--accept-host-keys", action="store_true", help="take host keys that are not known yet"
    )
    made.add_argument(
        "--all-blank-disks", action="store_true", help="list every blank disk; `up` formats them"
    )
    asking: Any = made.add_mutually_exclusive_group()
    asking.add_argument(
        "--ask-password",
        action="store_true",
        help="log in with an SSH password; else asked for where a key opens no host",
    )
    asking.add_argument("--batch", action="store_true", help="ask nothing")
    made.add_argument(
        "--folder", type=Path, default=PROJECT / "stacks", help="where the file is written"
    )
    return made


def _stack(name: str) -> str:
    try:
        fitting(ClusterSettings, name=name)
    except StoppedError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return name
