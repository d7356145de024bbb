"""The site of README.md and docs/: its navigation is whole, and it loads nothing from elsewhere.

That it can be built, without a warning, is what `make site` shows.
"""

import re
from pathlib import Path

import pytest

from tools.site.conf import navigation, root_doc
from tools.site.foreign import findings, loaded

_PROJECT = Path(__file__).parents[3]
# A line of a toctree that is a page: neither its fence nor an option.
_ENTRY = re.compile(r"^[\w./-]+$", re.MULTILINE)


def _listed() -> list[str]:
    return _ENTRY.findall(navigation(root_doc))


def test_every_entry_of_the_navigation_is_a_page() -> None:
    assert _listed()
    for page in _listed():
        assert (_PROJECT / f"{page}.md").is_file(), page


def test_no_page_is_twice_in_the_navigation() -> None:
    assert len(_listed()) == len(set(_listed()))


@pytest.mark.parametrize(
    "page", sorted((_PROJECT / "docs").rglob("*.md")), ids=lambda page: page.stem
)
def test_every_page_is_in_the_navigation(page: Path) -> None:
    name = str(page.relative_to(_PROJECT).with_suffix(""))
    beside = str(page.with_name("README").relative_to(_PROJECT))
    assert name in _listed() or (beside in _listed() and navigation(beside))


def test_only_the_readme_of_a_folder_leads_to_the_pages_beside_it() -> None:
    assert ":glob:" in navigation("docs/runbooks/README")
    assert navigation("docs/runbooks/reboot-a-node") == ""


@pytest.mark.parametrize(
    "page",
    [
        '<script src="https://cdn.example.com/a.js"></script>',
        '<img src="//cdn.example.com/a.png">',
        '<link rel="stylesheet" href="https://fonts.example.com/css">',
        '<link rel="preconnect" href="https://fonts.example.com">',
        "<style>@import 'https://fonts.example.com/css';</style>",
        '<p style="background: url(https://cdn.example.com/a.png)">',
    ],
)
def test_what_a_browser_asks_of_another_host_is_found(page: str) -> None:
    assert len(loaded(page)) == 1


@pytest.mark.parametrize(
    "page",
    [
        '<a href="https://example.com">a link</a>',
        '<script src="_static/a.js"></script>',
        '<link rel="next" href="https://example.com/docs/next.html">',
        '<img src="data:image/png;base64,//8=">',
        "<pre>curl https://example.com</pre>",
    ],
)
def test_what_stays_in_the_site_or_waits_for_a_click_is_not(page: str) -> None:
    assert loaded(page) == []


def test_style_sheets_are_looked_at_too(tmp_path: Path) -> None:
    (tmp_path / "site.css").write_text("@font-face { src: url('https://fonts.example.com/a') }")
    (tmp_path / "own.css").write_text("@font-face { src: url(a.woff2) }")
    [found] = findings(tmp_path)
    assert "site.css: loads https://fonts.example.com/a" in found
