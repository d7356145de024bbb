"""What the lab plays on this machine, in words for somebody who sees it for the first time."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from configuration.longhorn import DEFAULT_VERSION
from lab.longhorn import chart
from lab.longhorn.manager import choice
from lab.programs import language_host, plugins, toolchain

_YOUR_OWN = 'one of your own: README, "The first real cluster"'
_SITE = "Pulumi as its site installs it: https://www.pulumi.com/docs/install"


@dataclass(frozen=True)
class Played:
    """A part that is not the real one.

    Args:
        part: which.
        by: what is there in its place.
        real: how to have the real one.
    """

    part: str
    by: str
    real: str


def played(pulumi: Path) -> list[Played]:
    """Every part of the lab that is not the real one here, with this CLI."""
    return [*_pulumi(pulumi), *_longhorn(), *_always()]


def _pulumi(pulumi: Path) -> Iterator[Played]:
    host = pulumi.with_name(language_host.EXECUTABLES[0])
    if host.exists() and language_host.is_stand_in(host):
        yield Played("Pulumi's language host", "a stand-in that starts Python programs", _SITE)
    works = {
        "command": "a stand-in that runs the same scripts over SSH",
        "docker": "a stand-in that asks the same of a real Docker engine",
    }
    for name, path in toolchain.plugins().items():
        if path is None and plugins.missing([name]) is not None:
            yield Played(f"Pulumi's {name} plugin", "nothing: left out", plugins.how_to_have(name))
        elif path is None and name in works:
            yield Played(f"Pulumi's {name} plugin", works[name], plugins.how_to_have(name))


def _longhorn() -> Iterator[Played]:
    if chart.missing_chart() is not None:
        yield Played(
            "Longhorn's chart",
            "a small chart with the same objects",
            f"`helm pull longhorn/longhorn --version {DEFAULT_VERSION}` elsewhere, then the file "
            f"into {chart.CACHE}",
        )
    if choice.missing() is not None:
        yield Played(
            "Longhorn's managers",
            "a stand-in that keeps Longhorn's objects; a volume is a file",
            f"longhorn-manager {DEFAULT_VERSION} on PATH, and Longhorn's own chart",
        )


def _always() -> Iterator[Played]:
    yield Played("the nodes' kubelets", "kwok: it says that pods run, and runs none", _YOUR_OWN)
    yield Played("Rancher", "a stand-in in a real container", _YOUR_OWN)
