"""A settings field's type and default in the words of a stack file's author."""

import json
from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Le
from pydantic import AfterValidator, BaseModel
from pydantic.fields import FieldInfo

from configuration.base import Form
from configuration.problems import model_within

_PLAIN = {str: "text", int: "number", bool: "true or false", float: "number", Any: "anything"}


def type_words(field: FieldInfo) -> str:
    """The field's type, such as `number, 1 to 65535` or a list of the words allowed."""
    return _words(field.annotation, field.metadata)


def default_words(field: FieldInfo) -> str:
    """The default as YAML writes it, `required`, or `none`."""
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None:
        return "none"
    if isinstance(value, BaseModel):
        return "its defaults"
    if isinstance(value, str):
        return f"`{value}`" if value else "empty"
    return f"`{json.dumps(value)}`"


def _words(annotation: Any, metadata: list[Any]) -> str:
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *extra = get_args(annotation)
        return _words(inner, [*extra, *metadata])
    if origin in (Union, UnionType):
        parts = [part for part in get_args(annotation) if part is not NoneType]
        return " or ".join(_words(part, metadata) for part in parts)
    if origin is Literal:
        return _either([f"`{word}`" for word in get_args(annotation)])
    if origin is tuple:
        inner = get_args(annotation)[0]
        return f"list of {_plural(_words(inner, []))}"
    if origin is dict:
        return "map"
    if model_within(annotation):
        return "map"
    form = next((words for words in _forms(metadata)), None)
    return form or _PLAIN[annotation] + _bounds(metadata)


def _forms(metadata: list[Any]) -> Iterator[str]:
    for entry in metadata:
        if isinstance(entry, AfterValidator) and isinstance(entry.func, Form):
            yield entry.func.words


def _bounds(metadata: list[Any]) -> str:
    flat = [bound for entry in metadata for bound in getattr(entry, "metadata", [entry])]
    low = next((entry.ge for entry in flat if isinstance(entry, Ge)), None)
    high = next((entry.le for entry in flat if isinstance(entry, Le)), None)
    if low is None:
        return ""
    return f", {low} or more" if high is None else f", {low} to {high}"


def _either(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _plural(words: str) -> str:
    return "texts" if words == "text" else f"{words}s"
