"""README.md and docs/: links lead somewhere, and the keys that pages name exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from configuration.checks import CHECK_NAMES
from configuration.secrets import Secret
from configuration.stack_file import SECTIONS

_PROJECT = Path(__file__).parents[3]
_DOCS = _PROJECT / "docs"
_ALL_DOCS = sorted(_DOCS.rglob("*.md"))
_PAGES = [path for path in _ALL_DOCS if path.name != "stack-file.md"]
_LINKING = [*(_PROJECT / name for name in ("README.md", "AGENTS.md", "CHANGELOG.md")), *_ALL_DOCS]
# Code shows what links look like and has none.
_CODE = re.compile(r"^ *```.*?^ *```|`[^`\n]*`", re.MULTILINE | re.DOTALL)
# An inline link without a scheme: to a file, a heading of it, or a heading of the same page.
_LINK = re.compile(r"\]\(([^)#:\s]*)(?:#([^)\s]+))?\)")
_KEY = re.compile(r"`(rancher|stages|longhorn|ssh)\.([a-zA-Z]+)(?:: [^`]*)?`")
_YAML_KEY = re.compile(r"^ {2,}([a-zA-Z]+): ", re.MULTILINE)
_YAML = re.compile(r"^ *```yaml\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_SECTION = re.compile(r"^ *longhorn-rancher:(\w+):", re.MULTILINE)
_SECRET = re.compile(r"config set --secret longhorn-rancher:(\w+)")


def _aliases(section: str) -> set[str]:
    fields = SECTIONS[section].model_fields.values()
    return {str(field.alias) for field in fields}


def _headings(page: Path) -> Iterator[str]:
    """The anchors that a forge and the site give a page's headings."""
    fenced = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
    for line in fenced.sub("", page.read_text()).splitlines():
        if re.match(r"#+ ", line):
            words = line.lstrip("#").strip().lower()
            yield re.sub(r"[^\w -]", "", words).replace(" ", "-")


def _name(page: Path) -> str:
    return str(page.relative_to(_DOCS if page.is_relative_to(_DOCS) else _PROJECT))


def test_there_are_pages_to_look_at() -> None:
    assert {"secrets.md", "adr/README.md", "runbooks/upgrade-rancher.md"} <= set(map(_name, _PAGES))


@pytest.mark.parametrize("page", _LINKING, ids=_name)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for path, heading in _LINK.findall(_CODE.sub("", page.read_text())):
        target = (page.parent / path).resolve() if path else page
        assert target.is_file(), path
        assert not heading or heading in set(_headings(target)), f"{path}#{heading}"


@pytest.mark.parametrize("page", _PAGES, ids=_name)
def test_every_key_that_is_named_is_one_of_the_stack_file(page: Path) -> None:
    text = page.read_text()
    for section, key in _KEY.findall(text):
        assert key in _aliases(section), f"{section}.{key}"
    for block in _YAML.findall(text):
        section = _SECTION.search(block)
        assert set(_YAML_KEY.findall(block)) <= _aliases(section[1] if section else "rancher"), (
            block
        )
    for secret in _SECRET.findall(text):
        assert secret in {*Secret, "KEY"}, secret


@pytest.mark.parametrize("folder", ["adr", "runbooks"])
def test_the_list_of_a_folder_is_whole(folder: str) -> None:
    page = _DOCS / folder / "README.md"
    listed = [path for path, _ in _LINK.findall(page.read_text())]
    assert sorted(listed) == sorted(
        path.name for path in page.parent.glob("*.md") if path.name != page.name
    )


def test_decisions_are_listed_by_their_numbers() -> None:
    listed = [path for path, _ in _LINK.findall((_DOCS / "adr" / "README.md").read_text())]
    assert listed == sorted(listed)


@pytest.mark.parametrize("secret", Secret)
def test_the_page_on_secrets_says_where_each_one_comes_from(secret: Secret) -> None:
    assert f"`{secret}`" in (_DOCS / "secrets.md").read_text()


def test_every_check_that_may_be_accepted_has_one_row_on_the_page_of_previews() -> None:
    rows = re.findall(
        r"^\| (`.+?`) \|", (_DOCS / "what-a-preview-sees.md").read_text(), re.MULTILINE
    )
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(name for name in named if name in CHECK_NAMES) == sorted(CHECK_NAMES)


def test_every_fault_names_a_module_of_tests_that_is_there() -> None:
    named = re.findall(r"`(tests/[^`]+)`", (_DOCS / "faults.md").read_text())
    assert len(named) > 30
    for module in set(named):
        assert (_DOCS.parent / module).is_file(), module
