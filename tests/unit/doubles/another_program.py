"""The programs in examples/, which import this one as a package, under mocks."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.unit.doubles.a_stack import nodes
from tools.offline.answers import AnsweringMocks
from tools.offline.recording import Recording, run_program
from tools.offline.stack_file import KEY_PLACEHOLDER, PROJECT, StackConfig

EXAMPLES = PROJECT / "examples"
STORAGE, IMPORT = "disks-and-longhorn", "import-into-rancher"
UNREAD = {"readHosts": False, "readCluster": False, "accept": ["loginShell"]}
_PROJECTS = {STORAGE: "shop", IMPORT: "fleet"}
_VALUES: Mapping[str, Mapping[str, Any]] = {
    STORAGE: {
        "kubeconfig": "~/.kube/config",
        "nodes": nodes({}, {}),
        "checks": UNREAD,
        "sshPrivateKey": KEY_PLACEHOLDER,
    },
    IMPORT: {
        "kubeconfig": "~/.kube/config",
        "rancherUrl": "https://rancher.example.com",
        "rancherCa": "-----BEGIN CERTIFICATE-----\nbW9ja3M=\n-----END CERTIFICATE-----\n",
        "rancherToken": "tr0ub4dor-token",
        "checks": UNREAD,
    },
}
_SECRETS = {STORAGE: {"sshPrivateKey"}, IMPORT: {"rancherToken"}}


def example(name: str, *, preview: bool = False, **changes: Any) -> Recording:
    """What the example declares; a change of None leaves its configuration key out."""
    return run(EXAMPLES / name / "__main__.py", name, preview=preview, **changes)


def run(path: Path, like: str, *, preview: bool = False, **changes: Any) -> Recording:
    """What a program declares that has the configuration of an example."""
    project = _PROJECTS[like]
    values = {
        key: value for key, value in {**_VALUES[like], **changes}.items() if value is not None
    }
    config = StackConfig(
        {
            f"{project}:{key}": value if isinstance(value, str) else json.dumps(value)
            for key, value in values.items()
        },
        frozenset(f"{project}:{key}" for key in _SECRETS[like] if key in values),
    )
    mocks = None if preview else AnsweringMocks()
    return run_program(
        config, stack="test", preview=preview, mocks=mocks, program=path, project=project
    )
