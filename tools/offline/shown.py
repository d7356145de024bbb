"""What of a resource's inputs may be shown, in plain JSON values.

Secrets become [secret], scripts the name and length of their file. Of an SSH connection, which
the engine takes for one secret, the address stays readable.
"""

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
# How components/hosts/script.py hands a script its arguments.
_ARGUMENTS = 'set -- "$1" '
_SERIALIZED_CODE = "__provider"


class Scripts:
    """The project's scripts by their text."""

    def __init__(self, folder: Path = _COMPONENTS) -> None:
        self._names = {path.read_text(): path.name for path in sorted(folder.rglob("*.sh"))}

    def name(self, text: object) -> str | None:
        """The file's name for the text of a script, None for anything else.

        A script on standard input may have a line with its arguments before it, and before that
        one with a password.
        """
        if not isinstance(text, str):
            return None
        return next((name for whole, name in self._names.items() if text.endswith(whole)), None)

    def reference(self, text: object) -> str | None:
        """`name.sh arguments (12 lines)` for the text of a script, None for anything else."""
        name = self.name(text)
        if name is None or not isinstance(text, str):
            return None
        lines = text.splitlines()
        given = next((i for i in (0, 1) if lines[i].startswith(_ARGUMENTS)), None)
        arguments = "" if given is None else lines[given].removeprefix(_ARGUMENTS)
        length = len(lines) if given is None else len(lines) - given - 1
        return " ".join(part for part in (name, arguments.strip(), f"({length} lines)") if part)


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
        return scripts.reference(value) or value
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
