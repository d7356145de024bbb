"""The runbooks as a person reads them: the commands below a heading."""

import re
from collections.abc import Mapping

from lab.common.paths import PROJECT

_HEADING = re.compile(r"^(#+) (.*)$")


def commands(page: str, heading: str, values: Mapping[str, str] | None = None) -> str:
    """The shell commands below a heading of docs/runbooks/PAGE.md, without those of `pulumi`.

    Args:
        values: what a person puts in the place of the page's examples.

    An AssertionError when there is no such heading, no command, or no such example in them.
    """
    found, inside, level, section = list[str](), False, 0, False
    for line in (PROJECT / "docs" / "runbooks" / f"{page}.md").read_text().splitlines():
        if line.strip().startswith("```"):
            inside = not inside and line.strip() == "```sh"
        elif inside and section:
            found.append(line)
        elif not inside and (match := _HEADING.match(line)):
            if match[2] == heading:
                section, level = True, len(match[1])
            elif len(match[1]) <= level:
                section = False
    text = "\n".join(line for line in found if not line.strip().startswith("pulumi "))
    assert text.strip(), f"docs/runbooks/{page}.md has no commands below {heading!r}"
    for example, value in (values or {}).items():
        assert example in text, f"docs/runbooks/{page}.md, {heading}: no {example!r}"
        text = text.replace(example, value)
    return text
