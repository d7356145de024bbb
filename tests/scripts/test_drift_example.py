"""The drift check of the examples for CI, with a `pulumi` that prints what the real one would."""

import os
import subprocess
from pathlib import Path

import pytest

from lab.common.paths import PROJECT

_SCRIPT = PROJECT / "examples" / "ci" / "drift.sh"


def drift(tmp_path: Path, printed: str, status: int) -> subprocess.CompletedProcess[str]:
    """Run the check; `pulumi` prints this and ends so."""
    pulumi = tmp_path / "pulumi"
    pulumi.write_text(f"#!/bin/sh\ncat <<'END'\n{printed}\nEND\nexit {status}\n")
    pulumi.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    environment.pop("GITHUB_STEP_SUMMARY", None)
    return subprocess.run(
        ["sh", str(_SCRIPT), "prod"], env=environment, capture_output=True, text=True, check=False
    )


def test_a_stack_that_is_as_its_file_says_is_told_so(tmp_path: Path) -> None:
    done = drift(tmp_path, "Resources:\n    63 unchanged", 0)
    assert (done.returncode, done.stdout) == (0, "Stack prod is as its file says.\n")


def test_what_would_change_is_named_and_the_check_fails(tmp_path: Path) -> None:
    done = drift(tmp_path, " ~   command:remote:Command node-1-sdb update [diff: ~stdin]", 255)
    assert done.returncode == 1
    assert "Stack prod is not as its file says" in done.stdout
    assert "node-1-sdb" in done.stdout


@pytest.mark.parametrize(
    "line",
    [
        "node node-1 could not be read, so nothing is known about its packages and disks: refused",
        "cluster c could not be asked for what the stack needs of it: HTTP 401 Unauthorized",
        "Rancher's backups could not be looked at: no route to host",
        "the cluster could not be compared with Rancher: no answer",
        "what belongs to Rancher's agent could not be looked for. (503)",
    ],
)
def test_a_preview_that_could_not_look_is_no_proof(tmp_path: Path, line: str) -> None:
    done = drift(tmp_path, f"Diagnostics:\n  pulumi:pulumi:Stack:\n    warning: {line}", 0)
    assert done.returncode == 1
    assert "Nobody knows whether stack prod is as its file says" in done.stdout
    assert line in done.stdout
