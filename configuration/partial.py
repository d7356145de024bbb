"""Reading a section in spite of its mistakes, so that rules between fields still run on the rest.

A field with a mistake is missing from what is read: whoever asks for it gets BrokenFieldError. So
a rule is written as if everything were right, and `found_by` leaves out what it can't decide.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Annotated, Any, TypeVar, cast, get_args, get_origin

from pydantic import Field, ValidationError, create_model

from configuration.base import BrokenFieldError, StackModel
from configuration.problems import Problem, model_within, problems_of

M = TypeVar("M", bound=StackModel)
T = TypeVar("T")


def read(value: object, model: type[M], key: str) -> tuple[M, list[Problem]]:
    """The checked section, and its mistakes; with mistakes it lacks the fields that have them.

    Args:
        value: What the file says.
        model: What may be said.
        key: Where it is said.
    """
    try:
        return model.model_validate(value), []
    except ValidationError as error:
        return _well_formed(value, model), problems_of(error, model, key)


def nothing_of(model: type[M]) -> M:
    """A section of which no field is known."""
    return _built(model, {}, set())


def knows(section: StackModel, *fields: str) -> bool:
    """Whether these fields of the section have no mistake."""
    return all(name in section.__dict__ for name in fields)


def found_by(rules: Iterable[Callable[[T], Iterable[Problem]]], subject: T) -> Iterator[Problem]:
    """What these rules find; one that needs a field with a mistake of its own finds nothing."""
    for one in rules:
        try:
            found = list(one(subject))
        except BrokenFieldError:
            continue
        yield from found


def _well_formed(value: object, model: type[M]) -> M:
    if not isinstance(value, Mapping):
        return nothing_of(model)
    said = {str(name): item for name, item in cast(Mapping[object, object], value).items()}
    fields = {field.alias or name: name for name, field in model.model_fields.items()}
    said = {alias: item for alias, item in said.items() if alias in fields}
    missing = {a for a, name in fields.items() if model.model_fields[name].is_required()}
    broken = (missing - set(said)) | _broken(said, _lenient(model))
    try:
        whole = _lenient(model).model_validate({a: v for a, v in said.items() if a not in broken})
    except ValidationError:
        return nothing_of(model)
    values = {name: whole.__dict__[name] for alias, name in fields.items() if alias not in broken}
    for alias in broken & set(said):
        annotation = model.model_fields[fields[alias]].annotation
        inner = _inside(said[alias], annotation)
        if inner is not None:
            values[fields[alias]] = inner
    return _built(model, values, {fields[alias] for alias in said})


def _inside(value: object, annotation: Any) -> object:
    """A broken field that holds sections itself, as far as they are well formed; else None."""
    model: type[Any] | None = model_within(annotation)
    if model is None:
        return None
    if not _is_list(annotation):
        return _well_formed(value, model) if isinstance(value, Mapping) else None
    if not isinstance(value, list):
        return None
    return tuple(_well_formed(item, model) for item in cast(list[object], value))


def _is_list(annotation: Any) -> bool:
    return get_origin(annotation) is tuple or any(map(_is_list, get_args(annotation)))


def _broken(said: Mapping[str, object], model: type[StackModel]) -> set[str]:
    try:
        model.model_validate(said)
    except ValidationError as error:
        return {str(details["loc"][0]) for details in error.errors() if details["loc"]}
    return set()


@cache
def _lenient(model: type[StackModel]) -> type[StackModel]:
    """The same model with nothing required in it."""
    optional: dict[str, Any] = {
        name: (Annotated[field.annotation, *field.metadata, Field(alias=field.alias)], None)
        for name, field in model.model_fields.items()
        if field.is_required()
    }
    return create_model(model.__name__, __base__=model, **optional)


def _built(model: type[M], values: Mapping[str, object], said: set[str]) -> M:
    """The section with these fields and no others, not even with their defaults."""
    section = model.model_construct(said)
    object.__setattr__(section, "__dict__", dict(values))  # what pydantic does itself
    return section
