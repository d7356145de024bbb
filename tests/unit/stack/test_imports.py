"""What a run imports: it takes longer than the run itself on a few hosts."""

import json
import subprocess
import sys

import pytest

from tests.unit.doubles.a_stack import valid
from tools.offline.stack_file import PROJECT

_HOSTS_ALONE = {"labels": False, "longhorn": False, "frontend": False, "rancher": False}
_BOTH = """
import json, sys
from tools.offline.recording import run_program
from tools.offline.stack_file import stack_config
for config in sys.argv[1:]:
    run_program(stack_config(json.loads(config)), stack="test", preview=True)
    print(json.dumps(sorted(sys.modules)))
"""
_TELL = "import json, sys; print(json.dumps(sorted(sys.modules)))"


def _modules_after(program: str, *arguments: str) -> list[set[str]]:
    """What was imported whenever the program said so."""
    words = [sys.executable, "-W", "ignore", "-c", program, *arguments]
    done = subprocess.run(words, cwd=PROJECT, check=True, stdout=subprocess.PIPE, text=True)
    return [set(json.loads(line)) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def imported() -> tuple[set[str], set[str]]:
    """By a stack of hosts alone, and by that and then a whole one in the same process."""
    configs = [json.dumps(valid(stages=stages)) for stages in (_HOSTS_ALONE, {})]
    alone, both = _modules_after(_BOTH, *configs)
    return alone, both


def test_a_stack_of_hosts_alone_imports_nothing_of_longhorn_rancher_docker_or_the_cluster(
    imported: tuple[set[str], set[str]],
) -> None:
    alone, _ = imported
    assert "components.nodes.node" in alone
    for name in ("kubernetes.client", "pulumi_kubernetes", "pulumi_docker", "httpx"):
        assert name not in alone
    for name in ("components.stack.longhorn", "components.stack.rancher"):
        assert name not in alone


def test_no_program_imports_the_clusters_client_before_it_opens_one(
    imported: tuple[set[str], set[str]],
) -> None:
    _, both = imported
    assert "components.stack.rancher" in both
    assert "kubernetes.client" not in both


def test_the_dynamic_providers_compare_scripts_without_an_ssh_library() -> None:
    (found,) = _modules_after(f"import components.nodes.placed_scripts\n{_TELL}")
    assert "components.nodes.placed_scripts" in found
    assert "asyncssh" not in found
