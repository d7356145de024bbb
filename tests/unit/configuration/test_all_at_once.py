"""Thirty mistakes of one stack file, each of a kind that people make, all reported in one run."""

from pathlib import Path
from typing import Any

import pytest

from configuration.problems import Problem
from tests.unit.doubles.a_stack import HOST_KEY, mistakes, valid, with_secrets

_RSA = HOST_KEY.replace("ssh-ed25519", "ssh-rsa")
# The key, and a word of what is said about it.
_EXPECTED = {
    "cluster.kubeconfig": "can't be read",
    "stages.volumeChek": "not a key",
    "ssh.port": "less than or equal to 65535",
    "ssh.jumpHost.hostKey": "no host key",
    "ssh.privateKeyFile": "can't be read",
    "nodeDefaults.disks[0].mountPoint": "absolute path",
    "nodeDefaults.disks[1].device": "listed twice",
    "nodeDefaults.disks[2].fileSystem": "must be",
    "nodeDefaults.disks[2].tags[0]": "no tag",
    "nodes[0].host": "with a port",
    "nodes[1].host": "neither an IP address nor a host name",
    "nodes[1].hostKey": "no SSH key",
    "nodes[2].hostKey": "one of type ssh-ed25519",
    "nodes[2].name": "another node",
    "nodes[3].hostKey": "has no host key",
    "nodes[3].disks[0].mountPoint": "character",
    "nodes[3].disks[1].adoptUuid": "no UUID",
    "longhorn.version": "does not support|supports",
    "longhorn.registry": "is a URL",
    "longhorn.backup.target": "not written as Longhorn reads nfs",
    "longhorn.defaultSettings.nodeDownPodDeletionPolicy": "must be",
    "longhorn.values.persistence.defaultClass": "this program decides",
    "longhorn.values.privateRegistry.registryPasswd": "plain text",
    "frontend.nodePort": "outside the allowed range",
    "frontend.sourceRanges[0]": "inside a network",
    "frontend.type": "asks nobody",
    "rancher.url": "https://",
    "rancher.httpPort": "must differ",
    "rancher.dockerHostKey": "needs dockerHostKey",
    "rancherImport.caFile": "can't be read",
    "surprise": "not a key",
    "frontendBasicAuth": "line 1",
}


def _file(absent: Path) -> dict[str, Any]:
    def node(number: int, **changes: Any) -> dict[str, Any]:
        name, host = f"node-{number}", f"192.0.2.{number}"
        return {"name": name, "host": host, "hostKey": HOST_KEY, **changes}

    return valid(
        cluster={"name": "test", "kubeconfig": str(absent)},
        stages={"volumeChek": True},
        ssh={"port": 70000, "jumpHost": {"host": "bastion"}, "privateKeyFile": str(absent)},
        nodeDefaults={
            "disks": [
                {"device": "/dev/sdb", "mountPoint": "mnt/a"},
                {"device": "/dev/sdb", "mountPoint": "/mnt/b"},
                {
                    "device": "/dev/sdd",
                    "mountPoint": "/mnt/d",
                    "fileSystem": "btrfs",
                    "tags": ["a b"],
                },
            ]
        },
        nodes=[
            node(1, host="10.0.0.2:22"),
            node(2, host="999.1.1.1", hostKey="ssh-ed25519 AAAA"),
            node(3, hostKey=_RSA, name="node-1"),
            node(
                4,
                hostKey=None,
                disks=[
                    {"device": "/dev/sdb", "mountPoint": "/mnt/a:b"},
                    {"device": "/dev/sdc", "mountPoint": "/mnt/c", "adoptUuid": "---------"},
                ],
            ),
        ],
        longhorn={
            "version": "1.4.0",
            "registry": "https://registry.example.com",
            "backup": {"target": "nfs://server/backups"},
            "defaultSettings": {
                "nodeDownPodDeletionPolicy": "nothing",
            },
            "values": {
                "persistence": {"defaultClass": False},
                "privateRegistry": {"registryPasswd": "correct horse"},
            },
        },
        frontend={"type": "NodePort", "nodePort": 80, "sourceRanges": ["10.0.0.1/8"]},
        rancher={
            "url": "http://rancher.example.com",
            "dockerHost": "ssh://root@rancher",
            "httpPort": 443,
        },
        rancherImport={"caFile": str(absent)},
        surprise=1,
    )


@pytest.fixture
def found(tmp_path: Path) -> dict[str, Problem]:
    absent = tmp_path / "absent"
    problems = mistakes(with_secrets(_file(absent), frontendBasicAuth="correct horse"))
    return {problem.key.removeprefix("longhorn-rancher:"): problem for problem in problems}


@pytest.mark.parametrize("key", _EXPECTED)
def test_every_mistake_is_reported_whatever_else_is_wrong(
    key: str, found: dict[str, Problem]
) -> None:
    assert any(word in found[key].rule for word in _EXPECTED[key].split("|")), found[key].rule
    assert found[key].remedy


def test_nothing_is_reported_that_is_no_mistake(found: dict[str, Problem]) -> None:
    assert set(found) == set(_EXPECTED)


def test_no_regular_expression_and_no_secret_is_shown(found: dict[str, Problem]) -> None:
    text = "\n".join(map(str, found.values()))
    assert "pattern" not in text
    assert "[A-Za-z" not in text
    assert "correct horse" not in text
