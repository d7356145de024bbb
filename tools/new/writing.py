"""Writing new files whole, or not at all."""

import os
from collections.abc import Mapping
from pathlib import Path

_UNFINISHED = ".unfinished"


def write_all(texts: Mapping[Path, str]) -> None:
    """Write each text into its file; whoever interrupts it finds none of them.

    Raises RuntimeError naming a file that can't be written.
    """
    begun: list[Path] = []
    try:
        for path, text in texts.items():
            begun.append(path.with_name(path.name + _UNFINISHED))
            begun[-1].write_text(text)
        for path in texts:
            os.link(path.with_name(path.name + _UNFINISHED), path)
            begun.append(path)
    except OSError as error:
        _remove(begun)
        raise RuntimeError(f"{error.filename} can't be written: {error.strerror}") from None
    except BaseException:
        _remove(begun)
        raise
    _remove(begun[: len(texts)])


def _remove(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
