"""Programs that have this project's package installed, as another program has it."""

import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from lab.common.paths import PROJECT, STATE
from tests.wheel import built_wheel, environment_with


@cache
def environment() -> Path:
    """A virtual environment with the package out of its wheel; made once."""
    folder = Path(mkdtemp(dir=STATE, prefix="installed-"))
    return environment_with(built_wheel(folder / "wheel"), folder / "environment")


def copied(example: str, folder: Path) -> Path:
    """The folder of an example, where nothing of this project is beside it."""
    return Path(shutil.copytree(PROJECT / "examples" / example, folder / example))
