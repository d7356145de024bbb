"""A program that does nothing, for what looks whether a program is there."""

from pathlib import Path


def executable(path: Path, text: str = "#!/bin/sh\n") -> Path:
    """Make the file, with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path
