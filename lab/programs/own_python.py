"""How a Pulumi.yaml names the Python that runs now, for programs and for dynamic resources.

Pulumi's language host takes the Python of the virtual environment that Pulumi.yaml names, else
`python3` on PATH, which has no SDK on most machines. A project in a folder of the lab's or of a
test has no environment beside it.
"""

import sys
from typing import Any


def runtime() -> dict[str, Any]:
    """The section `runtime` of such a Pulumi.yaml."""
    options = {"toolchain": "pip"}
    if sys.prefix != sys.base_prefix:
        options["virtualenv"] = sys.prefix
    return {"name": "python", "options": options}
