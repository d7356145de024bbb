"""Whose a thing is that outlives a lost state or an interrupted run: the mark of its stack."""

import pulumi

MARK = "longhorn-rancher/stack"
"""Annotation of an object in the cluster, and label of a container."""
_MANAGER = "longhorn-rancher"
_LONGEST = 128


def this_stack() -> str:
    """What MARK says on the things of the stack that runs."""
    return f"{pulumi.get_project()}/{pulumi.get_stack()}"


def field_manager(owner: str) -> str:
    """The owner's name as Kubernetes keeps it with each field of an object.

    Args:
        owner: What `this_stack` tells.
    """
    return f"{_MANAGER}/{owner}"[:_LONGEST]
