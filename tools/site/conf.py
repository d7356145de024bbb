"""How Sphinx makes a site of README.md and docs/ (`make site`).

The pages are read where they lie, as a forge reads them: README.md is the start page, and no text
is kept twice. What a forge has by its folders, a site needs as navigation: it is added to the pages
while they are read. Nothing is loaded from another host, so that the site works in a closed network
and from the file system.
"""

from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent
_NAVIGATION = _HERE / "navigation.md"
_BESIDE = "\n\n```{toctree}\n:hidden:\n:glob:\n\n*\n```\n"

project = "longhorn-rancher"
extensions = ["myst_parser", "sphinx_copybutton"]
root_doc = "README"
include_patterns = ["README.md", "AGENTS.md", "CHANGELOG.md", "docs/**"]
exclude_patterns = [".*"]
nitpicky = True
highlight_language = "text"
# As deep as the pages' headings go; the anchors are those of a forge.
myst_heading_anchors = 4

html_theme = "furo"
html_title = project
html_static_path = ["site.css"]
html_css_files = ["site.css"]
# A server and a person who opens the folder look for this name; the start page is README.html.
templates_path = ["templates"]
html_additional_pages = {"index": "start.html"}
html_use_index = False
html_copy_source = False
html_show_copyright = False


def navigation(page: str) -> str:
    """What a page leads to in the site's navigation, as MyST reads it.

    Args:
        page: Its path from the project's folder, without the suffix.

    The start page leads to what navigation.md lists, and the README of a folder to the pages beside
    it; any other page to none.
    """
    if page == root_doc:
        return "\n\n" + _NAVIGATION.read_text()
    return _BESIDE if page.endswith("/README") else ""


def setup(app: Any) -> None:
    """Called by Sphinx; its types are in another environment than those of the program."""

    def add_navigation(app: Any, page: str, source: list[str]) -> None:
        source[0] += navigation(page)
        if page == root_doc:
            app.env.note_dependency(str(_NAVIGATION))

    app.connect("source-read", add_navigation)
