"""What a dynamic provider gets during a preview in place of a value that is not known yet."""

from pulumi.output import Unknown


def is_unknown(value: object) -> bool:
    """Whether an input is still to be computed; seen only by `check` and `diff`."""
    return isinstance(value, Unknown)
