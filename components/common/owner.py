"""Whose a thing is that outlives a lost state or an interrupted run: the mark of its stack."""

import pulumi

MARK = "longhorn-rancher/stack"
"""Annotation of an object in the cluster, and label of a container."""


def this_stack() -> str:
    """What MARK says on the things of the stack that runs."""
    return f"{pulumi.get_project()}/{pulumi.get_stack()}"
