"""Reading a stack file as the engine would hand it to the program. No engine, no decryption."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parent.parent
NAMESPACE = "longhorn-rancher"
SECRET_PLACEHOLDER = "value-of-an-encrypted-key"  # noqa: S105  stands for a value nobody decrypts


@dataclass(frozen=True)
class StackConfig:
    """A stack's configuration in the SDK's form: text by full key, and which keys are secret."""

    values: Mapping[str, str]
    secret_keys: frozenset[str]


def stack_path(stack: str) -> Path:
    """The file of this stack. Raises FileNotFoundError naming the stacks that there are."""
    path = PROJECT / "stacks" / f"Pulumi.{stack}.yaml"
    if not path.is_file():
        known = sorted(p.name.split(".")[1] for p in path.parent.glob("Pulumi.*.yaml"))
        raise FileNotFoundError(f"no stack file {path}; there are: {', '.join(known)}")
    return path


def read_stack_config(path: Path) -> StackConfig:
    """The configuration in this file; encrypted values become a placeholder."""
    parsed = yaml.safe_load(path.read_text()) or {}
    return stack_config(parsed.get("config") or {})


def stack_config(config: Mapping[str, Any]) -> StackConfig:
    """The same from the map below `config:`; keys without a namespace are the project's own."""
    values: dict[str, str] = {}
    secret_keys: set[str] = set()
    for key, value in config.items():
        full_key = key if ":" in key else f"{NAMESPACE}:{key}"
        if isinstance(value, dict) and set(value) == {"secure"}:
            secret_keys.add(full_key)
            values[full_key] = SECRET_PLACEHOLDER
        elif isinstance(value, str):
            values[full_key] = value
        else:
            values[full_key] = json.dumps(value)
    return StackConfig(values, frozenset(secret_keys))
