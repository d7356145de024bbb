"""A program's own package that hides one of this package's own is told before anything else."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools.offline.stack_file import PROJECT


def _imported(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "import longhorn_rancher"],
        cwd=folder,
        env={"PYTHONPATH": str(PROJECT), "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("file", ["components/__init__.py", "components.py", "configuration.py"])
def test_it_is_named_with_where_it_is(tmp_path: Path, file: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.touch()
    told = _imported(tmp_path).stderr
    assert "ImportError: longhorn-rancher needs its own package" in told
    assert str(tmp_path / Path(file).parts[0]) in told


def test_a_module_of_the_program_named_settings_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / "settings.py").write_text("raise RuntimeError('not this one')")
    assert _imported(tmp_path).returncode == 0
