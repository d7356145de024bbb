"""docs/stack-file.md: every key of a stack file, made from the settings models themselves.

python -m tools.pages.reference [--check]
"""

import inspect
import sys
from collections.abc import Iterator, Sequence

from pydantic import BaseModel

from configuration import settings
from configuration.problems import model_within
from configuration.secrets import Secret
from configuration.stack_file import SECTIONS
from tools.offline.stack_file import PROJECT
from tools.pages.field_types import default_words, type_words
from tools.pages.generated import write_or_check
from tools.pages.meanings import meanings

PATH = PROJECT / "docs" / "stack-file.md"
_HEAD = f"""\
# The stack file

A stack is one file, `stacks/Pulumi.<stack>.yaml`. Its keys stand below `config:`, each with
`{settings.NAMESPACE}:` in front; `stacks/` holds commented examples. What a key may be is checked
before anything is touched, and every mistake is reported at once. `make plan STACK=<stack>` shows
what the file would create.

An editor that speaks YAML (with yaml-language-server, such as VS Code's YAML extension) offers the
keys with these meanings, and marks mistakes while you write. The first line of a stack file names
the schema for it:
`# yaml-language-server: $schema=stack.schema.json`. What depends on other keys only the program
knows.

This page is made from the program (`make docs`).

- A **size** is a number with a unit as Kubernetes writes it: `500Mi`, `10Gi`, `20G`.
- A **DNS label** has lower-case letters, digits and hyphens, 63 characters at most.
- Paths on this machine may start with `~`; a relative one starts at the project's folder.

## Secrets

A secret is never written into the file in plain text. Each has a key of its own:

```
pulumi config set --secret {settings.NAMESPACE}:sshPassword
```

| Key | Meaning |
|---|---|
"""


def reference() -> str:
    """The whole page."""
    lines = [f"| `{key}` | {_cell(key.meaning)} |" for key in sorted(Secret)]
    sections: list[str] = []
    for key, model in sections_of_file():
        sections.extend(_section(key, model, level=2))
    return _HEAD + "\n".join([*lines, "", *sections]).rstrip() + "\n"


def sections_of_file() -> Iterator[tuple[str, type[BaseModel]]]:
    """The top-level keys and their models."""
    yield from SECTIONS.items()


def _section(key: str, model: type[BaseModel], *, level: int) -> Iterator[str]:
    yield f"{'#' * level} {key}"
    yield ""
    yield inspect.cleandoc(model.__doc__ or "")
    yield ""
    if key == "nodes":
        yield "A list; each entry has these keys."
        yield ""
    yield "| Key | Type | Default | Meaning |"
    yield "|---|---|---|---|"
    said = meanings(model)
    nested: list[tuple[str, type[BaseModel]]] = []
    for name, field in model.model_fields.items():
        alias = field.alias or name
        inner = model_within(field.annotation)
        meaning = _cell(said.get(name, ""))
        if inner is not None and f"{key}.{alias}" != "nodes.disks":
            nested.append((f"{key}.{alias}", inner))
            meaning += f" See [{key}.{alias}](#{_anchor(f'{key}.{alias}')})."
        elif inner is not None:
            meaning += f" See [nodeDefaults.disks](#{_anchor('nodeDefaults.disks')})."
        yield f"| `{alias}` | {type_words(field)} | {_cell(default_words(field))} | {meaning} |"
    yield ""
    for inner_key, inner in nested:
        yield from _section(inner_key, inner, level=level + 1)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _anchor(heading: str) -> str:
    return heading.lower().replace(".", "")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page, or with --check tell whether it is current."""
    return write_or_check(PATH, reference(), arguments)


if __name__ == "__main__":
    sys.exit(main())
