"""What a run imports: it takes longer than the run itself on a few hosts."""

import json
import subprocess
import sys

from tests.unit.doubles.a_stack import valid
from tools.offline.stack_file import PROJECT

_HOSTS_ALONE = {"labels": False, "longhorn": False, "frontend": False, "rancher": False}
_PROGRAM = """
import json, sys
from tools.offline.recording import run_program
from tools.offline.stack_file import stack_config
run_program(stack_config(json.loads(sys.argv[1])), stack="test", preview=True)
"""
_TELL = "import json, sys; print(json.dumps(sorted(sys.modules)))"


def _imported(**stages: bool) -> set[str]:
    return _modules_after(_PROGRAM, json.dumps(valid(stages=stages)))


def _modules_after(program: str, *arguments: str) -> set[str]:
    words = [sys.executable, "-W", "ignore", "-c", f"{program}\n{_TELL}", *arguments]
    done = subprocess.run(words, cwd=PROJECT, check=True, stdout=subprocess.PIPE, text=True)
    return set(json.loads(done.stdout))


def test_a_stack_of_hosts_alone_imports_nothing_of_longhorn_rancher_docker_or_the_cluster() -> None:
    imported = _imported(**_HOSTS_ALONE)
    assert "components.nodes.node" in imported
    for name in ("kubernetes.client", "pulumi_kubernetes", "pulumi_docker", "httpx"):
        assert name not in imported
    for name in ("components.stack.longhorn", "components.stack.rancher"):
        assert name not in imported


def test_no_program_imports_the_clusters_client_before_it_opens_one() -> None:
    imported = _imported()
    assert "components.stack.rancher" in imported
    assert "kubernetes.client" not in imported


def test_the_dynamic_providers_compare_scripts_without_an_ssh_library() -> None:
    imported = _modules_after("import components.nodes.placed_scripts")
    assert "components.nodes.placed_scripts" in imported
    assert "asyncssh" not in imported
