"""Reading a stack file as Pulumi would hand it to the program. No decryption."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from configuration.pulumis_yaml import read_yaml
from configuration.secrets import UNDECRYPTED

PROJECT = Path(__file__).resolve().parents[2]
NAMESPACE = "longhorn-rancher"
SECRET_PLACEHOLDER = UNDECRYPTED
# The same where the program looks at a secret's form.
KEY_PLACEHOLDER = (
    # Of 32 zeros, which open nothing; the same in every run.
    Ed25519PrivateKey.from_private_bytes(bytes(32))
    .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    .decode()
)
_PLACEHOLDERS = {
    "frontendBasicAuth": "user:{SHA}valueofanencryptedkeyxxxxxx=",
    "sshPrivateKey": KEY_PLACEHOLDER,
}


class StackFileError(ValueError):
    """The file can't be read as a stack file at all; the message says where and why."""


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
    """The configuration in this file; encrypted values become a placeholder.

    Raises StackFileError when the file is no YAML map, or `config:` in it is none.
    """
    try:
        parsed = read_yaml(path.read_text()) or {}
    except (yaml.YAMLError, ValueError) as error:
        raise StackFileError(f"{path} is not YAML: {error}") from None
    config = (parsed.get("config") or {}) if isinstance(parsed, dict) else None
    if not isinstance(config, dict):
        raise StackFileError(f"{path} must be a map with the settings below `config:`")
    return stack_config({str(key): value for key, value in config.items()})


def stack_config(config: Mapping[str, Any]) -> StackConfig:
    """The same from the map below `config:`; keys without a namespace are the project's own."""
    values: dict[str, str] = {}
    secret_keys: set[str] = set()
    for key, value in config.items():
        full_key = key if ":" in key else f"{NAMESPACE}:{key}"
        opened = _opened(value)
        if opened != value:
            # One encrypted value makes Pulumi's engine treat the whole key as a secret.
            secret_keys.add(full_key)
        if opened == SECRET_PLACEHOLDER:
            opened = _PLACEHOLDERS.get(full_key.partition(":")[2], opened)
        values[full_key] = opened if isinstance(opened, str) else json.dumps(opened, default=str)
    return StackConfig(values, frozenset(secret_keys))


def without_reading(config: StackConfig) -> StackConfig:
    """The same configuration with the look at hosts and cluster switched off."""
    key = f"{NAMESPACE}:checks"
    try:
        checks = json.loads(config.values.get(key, "null")) or {}
    except ValueError:
        checks = None
    if not isinstance(checks, dict):
        return config  # a mistake, which the program itself will tell
    off = {**checks, "readHosts": False, "readCluster": False}
    accepted = checks.get("accept", [])
    if isinstance(accepted, list):  # else a mistake, as above
        # Unless it is accepted, an `up` asks every host for this one, read or not.
        off["accept"] = [*accepted, "loginShell"]
    return replace(config, values={**config.values, key: json.dumps(off)})


def _opened(value: Any) -> Any:
    """The value with a placeholder in the place of everything encrypted in it."""
    if isinstance(value, dict):
        if set(value) == {"secure"}:
            return SECRET_PLACEHOLDER
        return {key: _opened(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_opened(item) for item in value]
    return value
