"""Whether a package of the program hides one of this package's own.

States hold dynamic providers by the names of their modules, so the packages `components` and
`configuration` keep theirs (docs/adr/0010-what-a-state-promises.md), and Python finds what lies
beside the program's __main__.py first.
"""

from importlib.util import find_spec
from pathlib import Path

_OWN = ("components", "configuration")


def refuse_hidden_packages() -> None:
    """Raise ImportError naming the package that is hidden, what hides it, and what to do."""
    beside = Path(__file__).parent.parent
    for name in _OWN:
        spec = find_spec(name)
        places = list(spec.submodule_search_locations or ()) if spec else []
        if [Path(place) for place in places] == [beside / name]:
            continue
        where = next(iter(places), spec.origin if spec else None)
        raise ImportError(
            f"longhorn-rancher needs its own package `{name}` beside {Path(__file__).parent}, and "
            f"Python finds {where or 'none'}. Rename the `{name}` of your program: states hold "
            "this name, so it can't be another one here."
        )
