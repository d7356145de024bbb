"""Pulumi's property values in plain Python, and their form on the wire.

An object is a dict, an array a list, a number a float. What the wire can only say by a reserved
marker becomes a class of its own here: Secret around a value that must stay encrypted in
the state, and UNKNOWN for one that a preview can't know. The markers are those of the SDK's
pulumi.runtime.rpc and of Pulumi's sdk/go/common/resource/plugin/rpc.go.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias, cast

from google.protobuf import struct_pb2

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a marker, not a secret
_UNKNOWN_STRING = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_UNKNOWNS = frozenset(
    {
        _UNKNOWN_STRING,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # boolean
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
        "030794c1-ac77-496b-92df-f27374a8bd58",  # asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    }
)


@dataclass(frozen=True)
class Secret:
    """A value that Pulumi's engine encrypts in the state and hides in every display."""

    value: "Value"


@dataclass(frozen=True)
class Unknown:
    """A value that only `up` will know."""


UNKNOWN = Unknown()

Value: TypeAlias = "bool | float | str | list[Value] | dict[str, Value] | Secret | Unknown | None"
Properties: TypeAlias = dict[str, "Value"]


def decode(wire: struct_pb2.Struct) -> Properties:
    """The properties of a message. Null members are left out, as the real plugin does."""
    return {
        name: decoded
        for name, value in wire.fields.items()
        if (decoded := _decode(value)) is not None
    }


def encode(properties: Mapping[str, Value]) -> struct_pb2.Struct:
    """The message form of properties."""
    return struct_pb2.Struct(
        fields={name: _encode(value) for name, value in properties.items() if value is not None}
    )


def plain(value: Value) -> Value:
    """The value with no Secret left anywhere in it."""
    match value:
        case Secret():
            return plain(value.value)
        case list():
            return [plain(element) for element in value]
        case dict():
            return {name: plain(member) for name, member in value.items()}
        case _:
            return value


def plain_properties(properties: Properties) -> Properties:
    """The properties with no Secret left anywhere in them."""
    return cast(Properties, plain(properties))


def _decode(wire: struct_pb2.Value) -> Value:
    match wire.WhichOneof("kind"):
        case "struct_value":
            members = decode(wire.struct_value)
            if members.get(_SIGNATURE) == _SECRET_SIGNATURE:
                return Secret(members.get("value"))
            return members
        case "list_value":
            return [_decode(element) for element in wire.list_value.values]
        case "string_value":
            return UNKNOWN if wire.string_value in _UNKNOWNS else wire.string_value
        case "number_value":
            return wire.number_value
        case "bool_value":
            return wire.bool_value
        case _:
            return None


def _encode(value: Value) -> struct_pb2.Value:
    match value:
        case None:
            return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
        case bool():
            return struct_pb2.Value(bool_value=value)
        case int() | float():
            return struct_pb2.Value(number_value=value)
        case str():
            return struct_pb2.Value(string_value=value)
        case list():
            elements = [_encode(element) for element in value]
            return struct_pb2.Value(list_value=struct_pb2.ListValue(values=elements))
        case dict():
            return struct_pb2.Value(struct_value=encode(value))
        case Secret():
            members: Properties = {_SIGNATURE: _SECRET_SIGNATURE, "value": value.value}
            return struct_pb2.Value(struct_value=encode(members))
        case Unknown():
            return struct_pb2.Value(string_value=_UNKNOWN_STRING)
