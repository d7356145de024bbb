"""stacks/stack.schema.json: what an editor knows of a stack file, from the settings models.

    python -m tools.pages.schema [--check]

A JSON Schema (draft 7, which editors know best) with descriptions, defaults and choices. It never
refuses what the program accepts, with one exception: a section written as JSON text, which Pulumi
would read and nobody writes. Rules between keys are the program's alone (`make plan`).
"""

import inspect
import json
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from configuration.base import Form
from configuration.problems import model_within
from configuration.secrets import Secret
from configuration.settings import NAMESPACE
from configuration.stack_file import SECTIONS, Sections
from tools.offline.stack_file import PROJECT
from tools.pages.generated import write_or_check
from tools.pages.meanings import meanings

PATH = PROJECT / "stacks" / "stack.schema.json"
MODELINE = f"# yaml-language-server: $schema={PATH.name}"
"""What names the schema in a stack file, for editors."""
_DRAFT = "http://json-schema.org/draft-07/schema#"
_REFERENCE = re.compile(r'"#/definitions/([^"]+)"')
_ENCRYPTED = {
    "type": "object",
    "properties": {"secure": {"type": "string"}},
    "required": ["secure"],
    "additionalProperties": False,
}
# What Pulumi itself keeps in a stack file.
_PULUMI = {
    "secretsprovider": {"type": "string", "description": "Who encrypts this stack's secrets."},
    "encryptedkey": {"type": "string", "description": "The encrypted key of a key service."},
    "encryptionsalt": {"type": "string", "description": "Salt of this stack's passphrase."},
    "environment": {"description": "Pulumi ESC environments that add to this configuration."},
}


class _Generator(GenerateJsonSchema):
    """Adds to pydantic's own what it can't know: the shapes of texts."""

    schema_dialect = _DRAFT

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002  pydantic's own form
        """Titles would repeat the keys."""
        return False

    def function_after_schema(
        self, schema: core_schema.AfterValidatorFunctionSchema
    ) -> dict[str, Any]:
        """A text's shape, where its form has one; an inner form's shape stays."""
        found = super().function_after_schema(schema)
        check: object = schema["function"]["function"]
        if not isinstance(check, Form) or not check.shape:
            return found
        return {
            **found,
            "pattern": f"^(?:{check.shape})$",
            "patternErrorMessage": check.says,
        }


def schema() -> str:
    """The whole schema as text."""
    return json.dumps(whole_schema(), indent=2, ensure_ascii=False) + "\n"


def whole_schema() -> dict[str, Any]:
    """The whole schema."""
    made = Sections.model_json_schema(
        schema_generator=_Generator, ref_template="#/definitions/{model}"
    )
    for model in SECTIONS.values():
        _describe(model, made["$defs"])
    sections = {
        key: _section(key, _field(key), of_section)
        for key, of_section in made["properties"].items()
    }
    secrets = {str(key): {**_ENCRYPTED, "description": _secret_words(key)} for key in Secret}
    config = {
        "type": "object",
        "properties": {f"{NAMESPACE}:{key}": {"$ref": f"#/definitions/{key}"} for key in sections}
        | {f"{NAMESPACE}:{key}": {"$ref": f"#/definitions/{key}"} for key in secrets},
        "patternProperties": {
            # Pulumi takes a key without a project for this project's own.
            **{f"^{key}$": {"$ref": f"#/definitions/{key}"} for key in (*sections, *secrets)},
            # Keys of Pulumi and of its providers.
            f"^(?!{NAMESPACE}:)[^:]*:": {},
        },
        "additionalProperties": False,
    }
    return {
        "$schema": _DRAFT,
        "title": "A stack of longhorn-rancher",
        "type": "object",
        "properties": {"config": config, **_PULUMI},
        # An environment may hold what is required here.
        "anyOf": [
            {
                "required": ["config"],
                "properties": {
                    "config": {
                        "anyOf": [{"required": [key]} for key in (_full("cluster"), "cluster")]
                    }
                },
            },
            {"required": ["environment"]},
        ],
        "definitions": _used(
            _told({**made["$defs"], **sections, **secrets}, made["$defs"]), config
        ),
    }


def _full(key: str) -> str:
    return f"{NAMESPACE}:{key}"


def _field(key: str) -> FieldInfo:
    return next(field for field in Sections.model_fields.values() if field.alias == key)


def _describe(model: type[BaseModel], models: Mapping[str, Any]) -> None:
    """Give the model's keys, and those of models within, their meanings."""
    said = meanings(model)
    for name, field in model.model_fields.items():
        models[model.__name__]["properties"][field.alias or name]["description"] = said[name]
        inner = model_within(field.annotation)
        if inner is not None:
            _describe(inner, models)


def _section(key: str, field: FieldInfo, found: dict[str, Any]) -> dict[str, Any]:
    """One of the keys; one that is left empty says nothing, if it is not required."""
    words = inspect.cleandoc(SECTIONS[key].__doc__ or "")
    inner = {name: found[name] for name in ("$ref", "type", "items", "anyOf") if name in found}
    if not field.is_required() and "anyOf" not in inner:
        inner = {"anyOf": [inner, {"type": "null"}]}
    return {**inner, "description": words}


def _secret_words(secret: Secret) -> str:
    return f"{secret.meaning} Set it with `pulumi config set --secret {_full(secret)}`."


def _told(value: Any, models: Mapping[str, Any]) -> Any:
    """The same with each description on one line, without what tells an editor nothing, and with
    one type beside null where pydantic has a choice: an editor then says what exactly is wrong."""
    if isinstance(value, list):
        return [_told(item, models) for item in value]
    if not isinstance(value, dict):
        return " ".join(value.split()) if isinstance(value, str) else value
    kept = {key: item for key, item in value.items() if (key, item) != ("default", None)}
    if isinstance(kept.get("title"), str):
        kept.pop("title")
    match kept.get("anyOf"):
        case [one, {"type": "null"}]:
            kept.pop("anyOf")
            kept = {**_or_null(one, models), **kept}
    return {key: _told(item, models) for key, item in kept.items()}


def _used(definitions: Mapping[str, Any], start: object) -> dict[str, Any]:
    """The definitions that this leads to; the others stand in full where they are used."""
    used: set[str] = set()
    open_ = set(_REFERENCE.findall(json.dumps(start)))
    while open_:
        used |= open_
        inside = json.dumps([definitions[name] for name in open_])
        open_ = set(_REFERENCE.findall(inside)) - used
    return {name: value for name, value in definitions.items() if name in used}


def _or_null(one: Mapping[str, Any], models: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(models[one["$ref"].rpartition("/")[2]] if "$ref" in one else one)
    choices = [found.pop("const")] if "const" in found else found.get("enum")
    return {
        **found,
        "type": [found["type"], "null"],
        **({"enum": [*choices, None]} if choices else {}),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the schema, or with --check tell whether it is current."""
    return write_or_check(PATH, schema(), arguments)


if __name__ == "__main__":
    sys.exit(main())
