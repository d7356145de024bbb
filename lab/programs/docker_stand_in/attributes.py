"""The attributes of a resource: what the check adds to them, and what counts as a change.

The real plugin compares the program's inputs with the state, not with the last inputs, so that
what was read back from the Docker engine shows as a change. What the program leaves out counts
as long as the state has anything else than nothing there, unless it is the Docker engine's to
fill in (`computed`).
Source: the schemas of terraform-provider-docker 4.5.0, and the bridge's Check and Diff.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.programs.plugin_base.changes import Change
from lab.programs.plugin_base.kind import Difference, Failure
from lab.programs.plugin_base.values import UNKNOWN, Properties, Value

_DEFAULTED = "__defaults"
_PYTHON_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}


@dataclass(frozen=True)
class Attribute:
    """One attribute.

    Attributes:
        kind: its JSON type.
        default: what holds where it is absent; the check says it, unless it is "", 0 or False.
        required: absent is a failure.
        computed: absent leaves it to the Docker engine.
        replaces: a change makes the resource anew.
        ordered: the order of an array's elements counts.
        members: those of an object, or of each object in an array; else empty.
        fixed: the stand-in does nothing else than the default.
        empty_is_same: "" and nothing never differ from what is there.
    """

    kind: str = "string"
    default: Value = None
    required: bool = False
    computed: bool = False
    replaces: bool = True
    ordered: bool = False
    members: Mapping[str, "Attribute"] = field(default_factory=dict[str, "Attribute"])
    fixed: bool = False
    empty_is_same: bool = False


Attributes = Mapping[str, Attribute]


def check(given: Properties, attributes: Attributes) -> tuple[Properties, list[Failure]]:
    """The inputs with their defaults, and what is wrong with them."""
    return _with_defaults(given, attributes), list(_failures(given, attributes, ""))


def diff(
    state: Properties, inputs: Properties, attributes: Attributes, ignored: tuple[str, ...] = ()
) -> Difference:
    """What the inputs change."""
    changed = {
        name: _change(state.get(name), inputs.get(name))
        for name, attribute in attributes.items()
        if name not in ignored and not _is_same(attribute, inputs.get(name), state.get(name))
    }
    replacing = frozenset(name for name in changed if attributes[name].replaces)
    return Difference(changed, replacing)


def planned(inputs: Properties, old: Properties, attributes: Attributes) -> dict[str, Any]:
    """The state that the inputs ask for, as far as it is known before anything is done."""
    state = {name: value for name, value in old.items() if not name.startswith("__")}
    for name, attribute in attributes.items():
        if name in inputs:
            state[name] = without_marks(inputs[name])
        elif not attribute.computed:
            state[name] = attribute.default
    return {name: value for name, value in state.items() if value is not None}


def without_marks(value: Value) -> Value:
    """The value without the check's own notes on which members are defaults."""
    match value:
        case list():
            return [without_marks(element) for element in value]
        case dict():
            return {k: without_marks(v) for k, v in value.items() if k != _DEFAULTED}
        case _:
            return value


def read_inputs(old: Properties, state: Properties) -> Properties:
    """The inputs after the state was read back: what was given, as it is now."""
    return {name: state[name] for name in old if name in state}


def schema(attributes: Attributes, outputs: Attributes) -> dict[str, object]:
    """The resource in Pulumi's package schema; types only, no descriptions."""
    inputs = {name: _described(attribute) for name, attribute in attributes.items()}
    return {
        "inputProperties": inputs,
        "requiredInputs": [name for name, attribute in attributes.items() if attribute.required],
        "properties": {**inputs, **{name: _described(each) for name, each in outputs.items()}},
    }


def _described(attribute: Attribute) -> dict[str, object]:
    described: dict[str, object] = {"type": attribute.kind}
    if attribute.kind == "array":
        described["items"] = {"$ref": "pulumi.json#/Any"}
    if attribute.kind == "object":
        described["additionalProperties"] = {"$ref": "pulumi.json#/Any"}
    if attribute.replaces:
        described["willReplaceOnChanges"] = True
    return described


def _with_defaults(given: Properties, attributes: Attributes) -> Properties:
    checked: Properties = dict(given)
    defaulted: list[Value] = []
    for name, attribute in sorted(attributes.items()):
        value = checked.get(name)
        if value is None and not _is_nothing(attribute.default):
            checked[name] = attribute.default
            defaulted.append(name)
        elif attribute.members and isinstance(value, dict):
            checked[name] = _with_defaults(value, attribute.members)
        elif attribute.members and isinstance(value, list):
            checked[name] = [
                _with_defaults(element, attribute.members) if isinstance(element, dict) else element
                for element in value
            ]
    return {**checked, _DEFAULTED: defaulted}


def _failures(given: Properties, attributes: Attributes, path: str) -> Iterator[Failure]:
    for name in given.keys() - attributes.keys() - {_DEFAULTED}:
        yield Failure(f"{path}{name}", "the lab's stand-in has no input of that name")
    for name, attribute in attributes.items():
        value = given.get(name)
        if value is None:
            if attribute.required:
                yield Failure(f"{path}{name}", "it is required and was not given")
        elif value is UNKNOWN:
            continue  # `up` checks again, with the value.
        elif not _has_kind(value, attribute.kind):
            yield Failure(f"{path}{name}", f"it has to be of type {attribute.kind}")
        elif attribute.fixed and value != attribute.default:
            yield Failure(f"{path}{name}", f"the lab's stand-in knows {attribute.default} alone")
        elif attribute.members:
            for element in value if isinstance(value, list) else [value]:
                if isinstance(element, dict):
                    yield from _failures(element, attribute.members, f"{path}{name}.")


def _has_kind(value: Value, kind: str) -> bool:
    if isinstance(value, bool) and kind != "boolean":
        return False
    return isinstance(value, _PYTHON_TYPES[kind])


def _change(old: Value, new: Value) -> Change:
    if old is None:
        return Change.ADDED
    return Change.DELETED if new is None else Change.UPDATED


def _is_same(attribute: Attribute, given: Value, state: Value) -> bool:
    if attribute.empty_is_same and not given:
        return True
    if given is None:
        return (
            _is_left_to_the_engine(attribute, state) if attribute.computed else _is_nothing(state)
        )
    if given is UNKNOWN:
        return attribute.computed and attribute.kind == "array" and not attribute.ordered
    if isinstance(given, list):
        return isinstance(state, list | None) and _same_elements(attribute, given, state or [])
    if isinstance(given, dict) and attribute.members:
        there = state if isinstance(state, dict) else {}
        return all(
            _is_same(member, given.get(name), there.get(name))
            for name, member in attribute.members.items()
        )
    return given == state or (_is_nothing(given) and _is_nothing(state))


def _is_left_to_the_engine(attribute: Attribute, state: Value) -> bool:
    """Whether nothing is to be known: a list that no look has brought is still to come."""
    return not attribute.ordered or state is not None


def _same_elements(attribute: Attribute, given: list[Value], state: list[Value]) -> bool:
    if len(given) != len(state):
        return False
    of_element = Attribute(attribute.kind, members=attribute.members)
    if attribute.ordered:
        return all(_is_same(of_element, *pair) for pair in zip(given, state, strict=True))
    left = list(state)
    for element in given:
        for there in left:
            if _is_same(of_element, element, there):
                left.remove(there)
                break
        else:
            return False
    return True


def _is_nothing(value: Value) -> bool:
    if isinstance(value, dict):
        return all(_is_nothing(member) for member in value.values())
    return not value
