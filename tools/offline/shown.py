"""What of a resource's inputs may be shown, in plain JSON values.

Secrets become [secret], the text of a script the name and length of its file, and what runs one by
its name that name with its arguments. A login in a web address is not shown. Of an SSH connection,
which Pulumi takes for one secret, the address stays readable.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.offline.recording import UNKNOWN, Declared, SecretValue
from tools.offline.stack_file import PROJECT

SECRET = "[secret]"  # noqa: S105  stands for a value that is not shown
NOT_YET = "(known after up)"
_COMPONENTS = PROJECT / "components"
# Fields of an SSH connection that are no secret; whatever else there is counts as one.
_OPEN_FIELDS = frozenset({"host", "port", "user", "hostKey", "dialErrorLimit", "perDialTimeout"})
# How components/hosts/script.py names a script and hands it its arguments.
_BY_NAME = re.compile(r'[^\n]*\nset -- "\$1" (.*)\nexec sh \S+/checked (\S+) [0-9a-f]+ "\$@"\n')
_LOGIN = re.compile(r"(https?://)\S*@")
_SERIALIZED_CODE = "__provider"


class Scripts:
    """The project's scripts by their text."""

    def __init__(self, folder: Path = _COMPONENTS) -> None:
        self._names = {path.read_text(): path.name for path in sorted(folder.rglob("*.sh"))}

    def reference(self, text: object) -> str | None:
        """The script that a text is or runs; None for anything else."""
        if not isinstance(text, str):
            return None
        if by_name := _BY_NAME.fullmatch(text):
            return f"{by_name[2]} {by_name[1]}".strip()
        name = self._names.get(text)
        return name and f"{name} ({len(text.splitlines())} lines)"


def shown_inputs(resource: Declared, scripts: Scripts) -> dict[str, Any]:
    """The resource's inputs as they may be shown; keys in alphabetical order."""
    return {
        key: _connection(value) if key == "connection" else _shown(value, scripts)
        for key, value in sorted(resource.inputs.items())
        if key != _SERIALIZED_CODE and value is not None
    }


def shown_value(value: Any, scripts: Scripts) -> Any:
    """One value, such as a stack output, as it may be shown."""
    return _shown(value, scripts)


def without_login(text: str) -> str:
    """The text without the logins of web addresses in it."""
    return _LOGIN.sub(rf"\1{SECRET}@", text)


def _shown(value: Any, scripts: Scripts) -> Any:
    if isinstance(value, SecretValue):
        script = scripts.reference(value.value)
        return f"{SECRET}, then {script}" if script else SECRET
    if value is UNKNOWN:
        return NOT_YET
    if isinstance(value, Mapping):
        return {key: _shown(item, scripts) for key, item in sorted(value.items())}
    if isinstance(value, list):
        return [_shown(item, scripts) for item in value]
    if isinstance(value, str):
        return scripts.reference(value) or without_login(value)
    return value


def _connection(value: Any) -> Any:
    fields = value.value if isinstance(value, SecretValue) else value
    if not isinstance(fields, Mapping):
        return SECRET
    shown: dict[str, Any] = {}
    for key, item in sorted(fields.items()):
        if key == "proxy":
            shown[key] = _connection(item)
        elif key in _OPEN_FIELDS and not isinstance(item, SecretValue):
            shown[key] = NOT_YET if item is UNKNOWN else item
        elif item is not None:
            shown[key] = SECRET
    return shown
