"""That a program has each component once.

Pulumi knows hooks by their names alone, in the whole stack, and what is made on hosts and in the
cluster carries the stack's name.
"""

from contextvars import ContextVar

import pulumi

_DECLARED: ContextVar[dict[str, str]] = ContextVar("longhorn_rancher_declared")


def refuse_another(kind: str, name: str) -> None:
    """Remember this component. Raises pulumi.RunError where the program has one of its kind.

    Args:
        kind: What it is.
        name: What it is called.
    """
    declared = _DECLARED.get({})
    if kind in declared:
        raise pulumi.RunError(
            f'{kind} "{name}": this program has the {kind} "{declared[kind]}" already, and a stack '
            "can have one. Put the other cluster into a stack of its own."
        )
    _DECLARED.set({**declared, kind: name})
