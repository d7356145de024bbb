"""What the benchmarks measure is what docs/benchmark.md says."""

import os
from pathlib import Path

import pytest

from tests.unit.doubles.a_program import executable
from tools.bench import ansible, cluster


def test_a_cluster_of_several_pages_is_read_without_a_finding() -> None:
    """It raises where a volume is missing, or anything is not as wanted."""
    assert cluster.measure(600).nodes == 600


@pytest.mark.parametrize(("is_advised", "forks"), [(True, "forks = 25"), (False, "")])
def test_ansible_is_measured_with_the_settings_that_it_advises_and_with_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_advised: bool, forks: str
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    executable(
        tmp_path / "ansible-playbook",
        f'#!/bin/sh\ngrep forks "$ANSIBLE_CONFIG" >{tmp_path}/forks\necho changed=0\n',
    )
    assert ansible.check_seconds([], tmp_path, is_advised=is_advised) > 0
    assert (tmp_path / "forks").read_text().strip() == forks
