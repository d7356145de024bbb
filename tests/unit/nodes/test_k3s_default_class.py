"""Where K3s is kept from making its own class the default again, and what a preview tells of it."""

from typing import Any

import pytest

from components.hosts.facts import AnswerModel
from components.nodes.findings import default_class_finding
from components.nodes.script_parts import NODE_K3S_CLASS, questions
from components.nodes.verdicts import DEFAULT_CLASS, DefaultClassVerdict, ScriptsVerdict
from tests.unit.doubles.a_stack import load, nodes, parent_of, run, valid, waits_for

_SERVER: dict[str, Any] = {"controlPlane": True}
_MANIFEST = "/var/lib/rancher/k3s/server/manifests/local-storage.yaml"


def _verdict(manifest: str | None, *, skipped: bool) -> AnswerModel:
    return DefaultClassVerdict(manifest=manifest, skipped=skipped)


def test_only_control_plane_nodes_get_it_and_give_it_back() -> None:
    recording = run(valid(nodes=nodes(_SERVER, {})))
    (command,) = (each for each in recording.resources if each.name.endswith("-class-skip"))
    assert parent_of(recording, command) == "node-1-k3s-default-class"
    assert command.inputs["create"].endswith("/run k3s-default-class ensure")
    assert command.inputs["delete"].endswith("/run k3s-default-class remove")
    assert f" {NODE_K3S_CLASS.digest} " in command.inputs["stdin"]
    assert waits_for(recording, "node-scripts-for-removal", command.name)


@pytest.mark.parametrize(
    ("changes", "is_kept"),
    [
        ({}, True),
        ({"nodes": nodes({**_SERVER, "packages": False, "disks": []})}, True),
        ({"nodes": nodes({})}, False),
        ({"longhorn": {"defaultStorageClass": False}}, False),
        ({"stages": {"longhorn": False, "frontend": False}}, False),
        ({"stages": {"packages": False, "disks": False}}, False),
    ],
)
def test_a_host_is_touched_only_where_the_class_is_wanted_and_hosts_are_reached(
    changes: dict[str, Any], is_kept: bool
) -> None:
    settings = load(valid(**{"nodes": nodes(_SERVER), **changes}))
    (node,) = settings.nodes
    assert settings.keeps_default_class_on(node) is is_kept
    assert settings.runs_scripts_on(node) or not is_kept


def test_a_preview_asks_only_where_it_is_kept() -> None:
    assert [part.key for part in questions([], default_class=True)] == [DEFAULT_CLASS]
    assert questions([]) == []


def test_a_server_that_would_make_it_the_default_again_is_found() -> None:
    found = default_class_finding(_verdict(_MANIFEST, skipped=False))
    assert found == (
        f"no {_MANIFEST}.skip, so K3s makes local-path the default class at its next start"
    )


@pytest.mark.parametrize(
    "verdict",
    [
        None,
        _verdict(None, skipped=False),
        _verdict(_MANIFEST, skipped=True),
        ScriptsVerdict(missing=(), changed=(), open=False),
    ],
)
def test_any_other_host_has_nothing_to_tell(verdict: AnswerModel | None) -> None:
    assert default_class_finding(verdict) is None
