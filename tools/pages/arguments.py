"""longhorn_rancher/arguments.py: the keys of a stack file as types of another program's arguments.

python -m tools.pages.arguments [--check]

Made from the settings models, so that both have the same words, and a type checker and an editor
know them where they are written in Python.
"""

import inspect
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from configuration.checks import CheckSettings
from configuration.given_source import OPENS_HOSTS
from configuration.problems import model_within
from configuration.rancher import RancherImportSettings
from configuration.secrets import Secret
from configuration.stack_file import SECTIONS
from configuration.stages import StageSettings
from tools.offline.stack_file import PROJECT
from tools.pages.generated import write_or_check
from tools.pages.meanings import meanings

PATH = PROJECT / "longhorn_rancher" / "arguments.py"
_HEAD = '''\
"""What the arguments of the components may hold: the keys of a stack file (docs/stack-file.md).

Made from the program's own settings (`make docs`). These types are for editors and type checkers;
the components check the values themselves, and more than a type can say.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Required, TypedDict

import pulumi

'''
_LEFT_OUT: Mapping[type[BaseModel], set[str]] = {
    StageSettings: {"rancher", "rancher_import"},
    # Parameters of their own, or another way to import.
    RancherImportSettings: {"url", "ca_file", "manifest_file"},
}
_NAMES: Mapping[type[BaseModel], str] = {
    CheckSettings: "Checks",
    RancherImportSettings: "RancherAgent",
    StageSettings: "Stages",
}
_NOT_OF_STORAGE = {"rancher"}
_OF_STORAGE = [secret for secret in Secret if not secret.startswith("rancher")]
_WIDTH = 92


def arguments() -> str:
    """The whole module."""
    classes: dict[str, str] = {}
    for key, model in SECTIONS.items():
        if key not in _NOT_OF_STORAGE:
            _add(model, classes)
    text = "\n\n".join([_HEAD, *classes.values(), _secrets()])
    return subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--line-length", "100", "-"],
        input=text,
        capture_output=True,
        check=True,
        text=True,
    ).stdout


def _add(model: type[BaseModel], classes: dict[str, str]) -> None:
    """Add the class of a model behind those of the models within."""
    name = _name(model)
    if name in classes:
        return
    fields = {
        field: info
        for field, info in model.model_fields.items()
        if field not in _LEFT_OUT.get(model, ())
    }
    for info in fields.values():
        inner = model_within(info.annotation)
        if inner is not None:
            _add(inner, classes)
    said = meanings(model)
    lines = [f"class {name}(TypedDict, total=False):", *_docstring(inspect.getdoc(model) or "")]
    for field, info in fields.items():
        type_ = _type(info.annotation)
        shown = f"Required[{type_}]" if info.is_required() else type_
        lines += [f"    {info.alias or field}: {shown}", *_docstring(said.get(field, ""))]
    classes[name] = "\n".join([*lines, ""])


def _secrets() -> str:
    lines = [
        "class StorageSecrets(TypedDict, total=False):",
        *_docstring(
            "Secrets of LonghornStorage. What opens the hosts is text, since they are read before "
            "any resource is made; all of it is secret in the state."
        ),
    ]
    for secret in _OF_STORAGE:
        type_ = "str | None" if secret in OPENS_HOSTS else "pulumi.Input[str] | None"
        lines += [f"    {secret}: {type_}", *_docstring(secret.meaning)]
    return "\n".join([*lines, ""])


def _name(model: type[BaseModel]) -> str:
    return _NAMES.get(model, model.__name__.removesuffix("Settings"))


def _docstring(text: str) -> Iterator[str]:
    """The text below what it describes."""
    paragraphs = [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]
    quoted = f'"""{paragraphs[0]}"""' if len(paragraphs) == 1 else '"""' + paragraphs[0]
    if not paragraphs:
        return
    yield from _wrapped(quoted)
    for paragraph in paragraphs[1:]:
        yield ""
        yield from _wrapped(paragraph)
    if len(paragraphs) > 1:
        yield '    """'


def _wrapped(text: str) -> list[str]:
    indent = "    "
    return textwrap.wrap(
        text, _WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )


_PLAIN: Mapping[Any, str] = {
    str: "str",
    int: "int",
    bool: "bool",
    float: "float",
    Any: "Any",
    NoneType: "None",
}


def _type(annotation: Any) -> str:
    """The annotation as a program writes it."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(inner[0])
    if origin in (Union, UnionType):
        return " | ".join(map(_type, inner))
    if origin is Literal:
        return f"Literal[{', '.join(map(repr, inner))}]"
    if origin is tuple:
        return f"Sequence[{_type(inner[0])}]"
    if origin is dict:
        return f"Mapping[{', '.join(map(_type, inner))}]"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _name(annotation)
    return _PLAIN[annotation]


def main(arguments_: Sequence[str] | None = None) -> int:
    """Write the module, or with --check tell whether it is current."""
    return write_or_check(PATH, arguments(), arguments_)


if __name__ == "__main__":
    sys.exit(main())
