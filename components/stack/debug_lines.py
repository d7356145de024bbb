"""Keeping the SDK's own lines for its authors from Pulumi's engine."""

import os

import pulumi

VARIABLE = "LONGHORN_RANCHER_DEBUG"
"""Set to anything, the environment of `pulumi` brings them back, for `pulumi up --debug`."""


def without_debug_lines() -> None:
    """Send Pulumi's engine none of the lines that it would show with --debug alone.

    The SDK sends five for a component and three for any other resource, whether anybody asked for
    them or not, and the whole program waits for each (pulumi 3.259, pulumi/runtime/resource.py and
    log.py). There is no switch.
    """
    if not os.environ.get(VARIABLE):
        pulumi.log.debug = _nothing


def _nothing(*_arguments: object, **_options: object) -> None:
    pass
