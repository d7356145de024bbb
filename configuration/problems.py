"""A mistake in the stack file, and how it is reported.

A problem names the key, the value found, the rule and the remedy. Values of keys that could hold
a secret are never shown.
"""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

SECRET_NAME = re.compile(
    r"PASSW|PASSPHRASE|TOKEN|SECRET|CREDENTIAL|PRIVATE_?KEY|ACCESS_?KEY|API_?KEY"
    r"|(^|_)(PASS|PW|PWD|PAT|AUTH|KEY|JWT)(_|$)",
    re.I,
)
"""Matches in the name of a variable or key that holds a secret."""
_PASS = re.compile(r"pass$", re.I)
# What only sounds so: the path of a file, and the key of a taint.
_OPEN = re.compile(r"File$|tolerations\[[0-9]+\]\.key$")
# To the last @, since a password may have both / and @ in it.
_LOGIN = re.compile(r"://.*@", re.DOTALL)
_MAX_SHOWN = 60
_MOST_WORDS = 8

NULL = object()
"""The value of a key that says null, where another one is wanted."""
_MOVED = {
    "longhorn.defaultSettings.backupTarget": "longhorn.backup.target",
    "longhorn.defaultSettings.backupTargetCredentialSecret": "longhorn.backup.credentialSecret",
}
"""Keys of earlier versions, and what to write now."""
_REMEDIES = {
    "missing": ("is required", "Add it."),
    "int_parsing": ("must be a whole number", "Write digits only, without quotes."),
    "int_type": ("must be a whole number", "Write digits only, without quotes."),
    "bool_parsing": ("must be true or false", "Write true or false, without quotes."),
    "bool_type": ("must be true or false", "Write true or false, without quotes."),
    "string_type": ("must be text", "Put the value in quotes."),
    "list_type": ("must be a list", "Write one entry per line, each behind `- `."),
    "tuple_type": ("must be a list", "Write one entry per line, each behind `- `."),
    "model_type": ("must be a map of keys", "Write `key: value` lines below it."),
    "dict_type": ("must be a map of keys", "Write `key: value` lines below it."),
}


@dataclass(frozen=True)
class Problem:
    """One mistake: where it stands, what stands there, which rule it breaks, what to do."""

    key: str
    rule: str
    remedy: str
    value: object = None
    """What stands there, where the message is to show it; NULL for null."""
    line: int | None = None
    """Where it stands in the stack file, as far as that is known."""
    file: str | None = None
    """Where the line is, if it is in another file."""

    def __str__(self) -> str:
        of_file = f" of {self.file}" if self.file is not None else ""
        where = f"line {self.line}{of_file}, " if self.line is not None else ""
        is_shown = self.value is not None and not _is_secret(self.key)
        found = f" = {_shown(self.value)}" if is_shown else ""
        return f"{where}{self.key}{found}: {self.rule}. {self.remedy}"


class SettingsError(ValueError):
    """Every mistake of one stack file, reported together, before anything is touched."""

    def __init__(self, problems: Sequence[Problem], name: str | None = None) -> None:
        self.problems = tuple(problems)
        count = f"{len(problems)} mistake{'s' if len(problems) != 1 else ''}"
        head = f"{name or 'the stack file'} has {count}; nothing was touched"
        super().__init__("\n".join([head, *(f"  - {problem}" for problem in self.problems)]))


def rule(text: str, remedy: str) -> ValueError:
    """The error for a validator to raise, carrying the rule and the remedy apart."""
    return ValueError(f"{text}\n{remedy}")


def problems_of(error: ValidationError, model: type[BaseModel], key: str) -> list[Problem]:
    """Turn what pydantic found into problems; `key` is where the model stands in the file."""
    return [_problem(details, model, key) for details in error.errors(include_url=False)]


def _problem(details: ErrorDetails, model: type[BaseModel], key: str) -> Problem:
    where = _joined(key, details["loc"])
    said = details.get("input")
    value = NULL if said is None else said
    if details["type"] == "extra_forbidden":
        return _unknown_key(where, str(details["loc"][-1]), model, details["loc"][:-1])
    if details["type"] == "missing":
        return Problem(where, *_REMEDIES["missing"])
    if details["type"] == "value_error":
        text, _, remedy = details["msg"].removeprefix("Value error, ").partition("\n")
        return Problem(where, text, remedy, None if isinstance(value, dict) else value)
    text, remedy = _REMEDIES.get(details["type"]) or _of_pydantic(details, said)
    return Problem(where, text, remedy, value)


def _of_pydantic(details: ErrorDetails, value: object) -> tuple[str, str]:
    """The rule and the remedy of a check that is pydantic's own."""
    context = details.get("ctx", {})
    match details["type"]:
        case "greater_than_equal":
            return f"must be at least {context['ge']}", "Raise it."
        case "less_than_equal":
            return f"must be at most {context['le']}", "Lower it."
        case "string_too_short":
            return "is empty", "Write a text, or remove the key."
        case "literal_error":
            words = re.findall(r"'([^']+)'", context["expected"])
            close = nearest(value, words) if isinstance(value, str) else None
            meant = f"Did you mean {close}?" if close else None
            if len(words) > _MOST_WORDS:
                return "is none of the words that may stand here", meant or _known(words)
            return f"must be {_either(words)}", meant or "Write it exactly so."
        case _:
            return re.sub(r"^(Input|Value) should be", "must be", details["msg"]), "Correct it."


def _either(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _known(words: Iterable[str]) -> str:
    return f"Known: {', '.join(sorted(words))}."


def _unknown_key(
    where: str, name: str, model: type[BaseModel], loc: Sequence[int | str]
) -> Problem:
    moved = _MOVED.get(where.partition(":")[2] or where)
    if moved is not None:
        return Problem(where, "has moved", f"Write {moved} instead.")
    if _is_secret(name):
        return Problem(
            where,
            "a secret never stands in plain text among the settings",
            "Remove it; `pulumi config set --secret` sets the stack's secret keys "
            "(see the stack file reference).",
        )
    return Problem(where, "is not a key of the stack file", known_keys(name, _keys_at(model, loc)))


def known_keys(name: str, known: Iterable[str]) -> str:
    """The remedy for a key that does not exist: the nearest one that does, or all."""
    words = sorted(set(known))
    close = nearest(name, words)
    return f"Did you mean {close}?" if close else f"Known keys: {', '.join(words)}."


def nearest(word: str, known: Sequence[str]) -> str | None:
    """The known word that this one was probably meant to be; letter case does not count."""
    by_lower = {each.lower(): each for each in known}
    found = difflib.get_close_matches(word.lower(), by_lower, n=1)
    return by_lower[found[0]] if found else None


def _keys_at(model: type[BaseModel], loc: Sequence[int | str]) -> Iterable[str]:
    """The keys that the model allows at this place, following nested models."""
    current: type[BaseModel] = model
    for part in loc:
        if isinstance(part, int):
            continue
        fields: Mapping[str, Any] = {f.alias or n: f for n, f in current.model_fields.items()}
        nested = model_within(fields[part].annotation) if part in fields else None
        if nested is None:
            return ()
        current = nested
    return (field.alias or name for name, field in current.model_fields.items())


def model_within(annotation: Any) -> type[BaseModel] | None:
    """The settings model that this type is or holds, as for an optional one or a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = model_within(inner)
        if found is not None:
            return found
    return None


def _joined(key: str, loc: Iterable[int | str]) -> str:
    path = key
    for part in loc:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    return path.removeprefix(".")


def _is_secret(key: str) -> bool:
    name = key.rsplit(".", 1)[-1]
    sounds_so = SECRET_NAME.search(name) or _PASS.search(name)
    return sounds_so is not None and _OPEN.search(key) is None


def _shown(value: object) -> str:
    # Only what stands on the line itself: a map or list could hold a secret.
    if isinstance(value, dict):
        return "(a map)"
    if isinstance(value, list | tuple):
        return "(a list)"
    if value is NULL or isinstance(value, bool):
        return {NULL: "null", True: "true", False: "false"}[value]  # as YAML writes them
    # A login in an address is a secret too.
    text = _LOGIN.sub("://[hidden]@", repr(value))
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"
