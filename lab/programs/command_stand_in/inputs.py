"""The inputs of `command:remote:Command`: their types, defaults and secrets, and their check.

The table is the one place where an input is named; the check and the schema follow from it.
Source of names, defaults and secrets: the schema that Pulumi publishes for the plugin.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lab.programs.plugin_base.kind import Failure
from lab.programs.plugin_base.values import UNKNOWN, Properties, Secret, Value

RESOURCE = "command:remote:Command"
"""The type token of the only resource that the stand-in knows."""

OUTPUTS = ("stdout", "stderr")
"""What a run adds to the inputs in the state."""


@dataclass(frozen=True)
class Input:
    """One input.

    Attributes:
        kind: its JSON type.
        default: what the check puts in its place when it is absent; None for nothing.
        required: absent is a failure.
        secret: the check makes it secret whether or not the program did.
        replaces: adding or removing it as a whole replaces the resource.
        members: the inputs of an object whose names are fixed; else empty.
        texts: the members of an object whose names are free have to be strings.
        choices: the only strings allowed; empty for any.
    """

    kind: str
    default: Value = None
    required: bool = False
    secret: bool = False
    replaces: bool = False
    members: Mapping[str, "Input"] = field(default_factory=dict[str, "Input"])
    texts: bool = False
    choices: tuple[str, ...] = ()


_ENDPOINT = {
    "user": Input("string", default="root"),
    "password": Input("string", secret=True),
    "host": Input("string", required=True),
    "port": Input("number", default=22.0),
    "privateKey": Input("string", secret=True),
    "privateKeyPassword": Input("string", secret=True),
    "agentSocketPath": Input("string"),
    "dialErrorLimit": Input("integer", default=10.0),
    "perDialTimeout": Input("integer", default=15.0),
    "hostKey": Input("string"),
}

INPUTS = {
    "connection": Input(
        "object",
        required=True,
        secret=True,
        members={**_ENDPOINT, "proxy": Input("object", members=_ENDPOINT)},
    ),
    "create": Input("string"),
    "update": Input("string"),
    "delete": Input("string"),
    "stdin": Input("string"),
    "environment": Input("object", texts=True),
    "addPreviousOutputInEnv": Input("boolean"),
    "logging": Input("string", choices=("stdout", "stderr", "stdoutAndStderr", "none")),
    "triggers": Input("array", replaces=True),
}

_PYTHON_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "number": (int, float),
    "integer": (int, float),
    "boolean": bool,
    "object": dict,
    "array": list,
}


def check(given: Properties) -> tuple[Properties, list[Failure]]:
    """The inputs with defaults filled in and secrets marked, and what is wrong with them."""
    return _check_members(given, INPUTS, ""), list(_failures(given, INPUTS, ""))


def schema() -> dict[str, object]:
    """The resource in Pulumi's package schema; types only, no descriptions."""
    inputs = {name: _describe(wanted) for name, wanted in INPUTS.items()}
    outputs = {name: {"type": "string"} for name in OUTPUTS}
    return {
        "inputProperties": inputs,
        "requiredInputs": [name for name, wanted in INPUTS.items() if wanted.required],
        "properties": {**inputs, **outputs},
    }


def _describe(wanted: Input) -> dict[str, object]:
    described: dict[str, object] = {"type": wanted.kind}
    if wanted.kind == "object":
        described["additionalProperties"] = {"$ref": "pulumi.json#/Any"}
    if wanted.kind == "array":
        described["items"] = {"$ref": "pulumi.json#/Any"}
    if wanted.secret:
        described["secret"] = True
    if wanted.replaces:
        described["replaceOnChanges"] = True
    return described


def _check_members(given: Properties, inputs: Mapping[str, Input], path: str) -> Properties:
    checked = dict(given)
    for name, wanted in inputs.items():
        value = checked.get(name, wanted.default)
        if value is None:
            continue
        if wanted.members:
            value = _check_object(value, wanted, f"{path}{name}.")
        if wanted.secret and not isinstance(value, Secret):
            value = Secret(value)
        checked[name] = value
    return checked


def _check_object(value: Value, wanted: Input, path: str) -> Value:
    if isinstance(value, Secret):
        return Secret(_check_object(value.value, wanted, path))
    if isinstance(value, dict):
        return _check_members(value, wanted.members, path)
    return value


def _failures(given: Properties, inputs: Mapping[str, Input], path: str) -> Iterator[Failure]:
    for name in given.keys() - inputs.keys():
        yield Failure(f"{path}{name}", f"{RESOURCE} has no input of that name")
    for name, wanted in inputs.items():
        value = given.get(name)
        while isinstance(value, Secret):
            value = value.value
        if value is None:
            if wanted.required:
                yield Failure(f"{path}{name}", "it is required and was not given")
        elif value is UNKNOWN:
            continue  # `up` checks again, with the value.
        elif not _has_kind(value, wanted.kind):
            yield Failure(f"{path}{name}", f"it has to be of type {wanted.kind}")
        elif wanted.choices and value not in wanted.choices:
            yield Failure(f"{path}{name}", f"it has to be one of {', '.join(wanted.choices)}")
        elif wanted.members and isinstance(value, dict):
            yield from _failures(value, wanted.members, f"{path}{name}.")
        elif wanted.texts and isinstance(value, dict):
            texts = dict.fromkeys(value, Input("string"))
            yield from _failures(value, texts, f"{path}{name}.")


def _has_kind(value: Value, kind: str) -> bool:
    if isinstance(value, bool) and kind != "boolean":
        return False
    return isinstance(value, _PYTHON_TYPES[kind])
