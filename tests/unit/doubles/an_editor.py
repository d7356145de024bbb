"""What an editor with the schema says of a stack file."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from jsonschema import Draft7Validator

from tools.offline.stack_file import StackConfig
from tools.pages.schema import schema


def complaints(config: Mapping[str, Any] | StackConfig) -> list[str]:
    """What it marks in the file with these keys below `config:`; nothing when it is content."""
    keys = _as_in_a_file(config) if isinstance(config, StackConfig) else dict(config)
    return complaints_of_file({"config": keys})


def complaints_of_file(whole: Any) -> list[str]:
    """The same of a whole file."""
    return [f"{error.json_path}: {error.message}" for error in _validator().iter_errors(whole)]


@cache
def _validator() -> Draft7Validator:
    text = json.loads(schema())
    Draft7Validator.check_schema(text)
    return Draft7Validator(text)


def _as_in_a_file(config: StackConfig) -> dict[str, Any]:
    return {
        key: {"secure": "v1:encrypted"} if key in config.secret_keys else _parsed(value)
        for key, value in config.values.items()
    }


def _parsed(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value
