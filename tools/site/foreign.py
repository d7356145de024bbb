"""What a built site would load from another host: nothing, or it fails in a closed network.

python -m tools.site.foreign FOLDER

Links that a person follows may lead anywhere. It runs in the site's own environment, and needs the
standard library alone.
"""

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

_ELSEWHERE = re.compile(r"(?:https?:)?//", re.IGNORECASE)
# A quoted or bare address after `url(` or `@import`.
_STYLE = re.compile(r"(?:url\(|@import)\s*[\"']?((?:https?:)?//[^\"')\s]+)", re.IGNORECASE)
_LOADED_LINKS = {"stylesheet", "icon", "preload", "modulepreload", "preconnect", "dns-prefetch"}


class _Loads(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found = list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        loaded = [given.get("src", ""), given.get("srcset", "")]
        if tag == "link" and _LOADED_LINKS & set(given.get("rel", "").lower().split()):
            loaded.append(given.get("href", ""))
        if tag == "object":
            loaded.append(given.get("data", ""))
        self.found.extend(address for address in loaded if _ELSEWHERE.match(address))
        self.found.extend(_STYLE.findall(given.get("style", "")))


def loaded(page: str) -> list[str]:
    """Addresses on other hosts that a browser asks when it shows this HTML page."""
    reader = _Loads()
    reader.feed(page)
    reader.close()
    styles = re.findall(r"<style.*?</style>", page, re.DOTALL | re.IGNORECASE)
    return reader.found + [address for style in styles for address in _STYLE.findall(style)]


def findings(site: Path) -> Iterator[str]:
    """Each file of a built site that loads something from another host, and what."""
    for path in sorted(site.rglob("*")):
        if path.suffix == ".html":
            found = loaded(path.read_text())
        elif path.suffix == ".css":
            found = _STYLE.findall(path.read_text())
        else:
            continue
        yield from (f"{path}: loads {address}" for address in found)


def main() -> int:
    """1 when something is loaded from elsewhere, or when there is no page at all."""
    site = Path(sys.argv[1])
    found = list(findings(site))
    if not any(site.rglob("*.html")):
        found.append(f"{site}: no pages")
    print(*found, sep="\n", end="\n" if found else "", file=sys.stderr)
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
