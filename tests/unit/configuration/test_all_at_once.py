"""Forty mistakes of one stack file, each of a kind that people make, all reported in one run."""

import re
from collections.abc import Mapping
from functools import cache

import pytest

from configuration.problems import Problem
from tools.pages import mistakes

# The key, and a word of what is said about it.
_EXPECTED = {
    "cluster.name": "must be a lower-case DNS label",
    "cluster.kubeconfig": "can't be read",
    "stages.volumeChek": "Did you mean volumeCheck?",
    "stages.rancherImport": "must be true or false",
    "ssh.port": "must be at most 65535",
    "ssh.useAgent": "without quotes",
    "ssh.privateKeyFile": "can't be read",
    "ssh.jumpHost.host": "has a user in front",
    "ssh.jumpHost.hostKey": "no host key",
    "nodeDefaults.disks[0].device": "absolute path",
    "nodeDefaults.disks[0].mountPoint": "absolute path",
    "nodeDefaults.disks[2].device": "listed twice",
    "nodeDefaults.disks[2].mountPoint": "lies inside /mnt/c",
    "nodeDefaults.disks[2].fileSystem": "must be ext4 or xfs",
    "nodeDefaults.disks[2].storageReserved": "must be a size",
    "nodeDefaults.disks[2].tags[0]": "no tag",
    "nodes[0].host": "with a port",
    "nodes[0].hostKey": "no SSH key",
    "nodes[1].host": "neither an IP address nor a host name",
    "nodes[1].hostKey": "has no host key",
    "nodes[2].name": "another node",
    "nodes[2].hostKey": "one of type ssh-ed25519",
    "nodes[2].disks[0].mountPoint": "not one of the system's",
    "nodes[2].disks[1].adoptUuid": "no UUID",
    "longhorn.version": "Supported: 1.5.3",
    "longhorn.replicaCount": "must be at least 1",
    "longhorn.registry": "is a URL",
    "longhorn.reclaimPolicy": "Did you mean Delete?",
    "longhorn.backup.target": "not written as Longhorn reads nfs",
    "longhorn.recurringJobs[0].task": "Did you mean backup?",
    "longhorn.recurringJobs[0].cron": "no time as cron writes it",
    "longhorn.defaultSettings.nodeDownPodDeletionPolicy": "Did you mean delete-",
    "longhorn.values.persistence.defaultClass": "this program decides",
    "longhorn.values.privateRegistry.registryPasswd": "plain text",
    "frontend.nodePort": "outside the allowed range",
    "frontend.sourceRanges[0]": "Did you mean 10.0.0.0/8?",
    "rancher.url": "https://",
    "rancher.tag": "a tag that moves",
    "rancher.dockerHost": "must be a local socket, or an SSH address without a path",
    "rancher.httpPort": "same as httpsPort",
    "checks.accept[0]": "Did you mean iscsid?",
    "longhron": "Did you mean longhorn?",
    "sudoPassword": "plain text",
}


@pytest.fixture
def found() -> Mapping[str, Problem]:
    return _found()


@cache
def _found() -> Mapping[str, Problem]:
    problems = mistakes.found().problems
    return {problem.key.removeprefix("longhorn-rancher:"): problem for problem in problems}


def test_the_page_is_current() -> None:
    assert mistakes.main(["--check"]) == 0, "run `make docs`"


@pytest.mark.parametrize("key", _EXPECTED)
def test_every_mistake_is_reported_whatever_else_is_wrong(
    key: str, found: Mapping[str, Problem]
) -> None:
    assert _EXPECTED[key] in str(found[key])
    assert found[key].remedy


@pytest.mark.parametrize("key", _EXPECTED)
def test_every_mistake_is_told_with_the_line_that_it_is_in(
    key: str, found: Mapping[str, Problem]
) -> None:
    problem = found[key]
    assert problem.line is not None
    line = mistakes.SOURCE.read_text().splitlines()[problem.line - 1]
    name = re.sub(r"\[[0-9]+\]", "", key).rpartition(".")[2]
    # An entry of a list stands alone, and a host key that is missing is told at its host.
    value = str(problem.value)
    assert f"{name}:" in line or f"- {value}" in line or problem.rule.endswith("take its place")


def test_nothing_is_reported_that_is_no_mistake(found: Mapping[str, Problem]) -> None:
    assert set(found) == set(_EXPECTED)


def test_no_regular_expression_and_no_secret_is_shown(found: Mapping[str, Problem]) -> None:
    text = "\n".join(map(str, found.values()))
    assert "pattern" not in text
    assert "[A-Za-z" not in text
    assert "correct horse" not in text
