"""What the tests of the lab's programs start from: a machine on which none of them is installed."""

from pathlib import Path

import pytest

from lab.programs import go_build


@pytest.fixture
def empty_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A search path, a cache and a Pulumi home with nothing in them."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(go_build, "CACHE", tmp_path / "cache")
    return folder
