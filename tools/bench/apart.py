"""Measurements in processes of their own, so that none profits from the memory of another."""

import json
import resource
import subprocess
import sys
from typing import Any

from tools.offline.stack_file import PROJECT


def peak_mib() -> float:
    """The most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured_apart(module: str, *arguments: str) -> dict[str, Any]:
    """What the module prints when it is run with these arguments: one object of JSON.

    Raises CalledProcessError when it fails.
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", module, *arguments],
        cwd=PROJECT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return json.loads(done.stdout)
