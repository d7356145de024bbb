"""Where the lab keeps what it makes, and how its things are named.

Everything under STATE belongs to one lab and is gone after `down`. CACHE holds builds and
downloads keyed by version; it survives `down` because it is only expensive, never wrong.
"""

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
STATE = Path(os.environ.get("LAB_STATE", PROJECT / ".lab"))
CACHE = Path(os.environ.get("LAB_CACHE", Path.home() / ".cache" / "longhorn-rancher-lab"))


def lab_name() -> str:
    """The prefix of every namespace, bridge and loop file, so that two labs can coexist.

    At most 8 characters, because Linux limits an interface name to 15.
    """
    return os.environ.get("LAB_NAME", "lab")


def subnet() -> str:
    """The first three octets of the lab's /24 network; the machine itself is .1 in it."""
    return os.environ.get("LAB_SUBNET", "10.87.0")
