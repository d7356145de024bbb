"""Keeping the calls that led to each resource out of the state."""

import sys
from collections.abc import Generator
from contextlib import contextmanager

_LIMIT = "tracebacklimit"


@contextmanager
def without_call_stacks() -> Generator[None, None, None]:
    """Declare resources of which Pulumi's engine keeps no call stack.

    The SDK sends one with each resource, and Pulumi keeps it for good: nearly half of what the
    state has of a node (pulumi 3.259, pulumi/runtime/resource.py, `_get_stack_trace`).
    Python's own limit, which that function follows, is the only switch there is. An error that ends
    the program is shown with all its calls: by then the limit is lifted.
    """
    before: int | None = getattr(sys, _LIMIT, None)
    sys.tracebacklimit = 1
    try:
        yield
    finally:
        if before is None:
            delattr(sys, _LIMIT)
        else:
            sys.tracebacklimit = before
