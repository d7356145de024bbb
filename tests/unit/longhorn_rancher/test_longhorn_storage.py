"""Disks and Longhorn as a component of another program."""

from pathlib import Path
from typing import Any

import pulumi
import pytest

from configuration.problems import SettingsError
from tests.unit.doubles import another_program
from tests.unit.doubles.a_host import answer
from tests.unit.doubles.a_stack import nodes, waits_for
from tests.unit.doubles.another_program import EXAMPLES, STORAGE, example
from tools.offline.recording import SecretValue
from tools.offline.stack_file import KEY_PLACEHOLDER


def test_everything_of_it_stands_below_the_component() -> None:
    recording = example(STORAGE)
    assert {"node-1", "node-scripts"} <= {each.name for each in recording.resources}
    alone = sorted(each.name for each in recording.resources if not each.parent)
    assert alone == ["cluster", "orders", "shop", "storage"]


def test_a_provider_of_the_program_may_have_the_name_of_the_components_own() -> None:
    urns = [each.urn for each in example(STORAGE).resources]
    assert len([urn for urn in urns if urn.endswith("::cluster")]) == 2
    assert sorted(urns) == sorted(set(urns))


def test_a_preview_declares_the_same_resources_as_an_up() -> None:
    previewed = {each.urn for each in example(STORAGE, preview=True).resources}
    assert previewed == {each.urn for each in example(STORAGE).resources}


@pytest.mark.parametrize("part", ["longhorn-ready", "removal-guard", "node-1-mnt-longhorn-sdb"])
def test_what_depends_on_the_component_waits_for_each_of_its_parts(part: str) -> None:
    assert waits_for(example(STORAGE), "orders", part)


def test_nothing_of_rancher_and_nothing_exposed_is_declared_unasked() -> None:
    types = " ".join(each.type for each in example(STORAGE).resources)
    assert "Rancher" not in types
    assert "docker" not in types
    assert "Frontend" not in types


def test_a_key_that_is_given_as_text_is_secret_in_every_input() -> None:
    recording = example(STORAGE)
    assert recording.named("node-scripts").inputs["private_key"] == SecretValue(KEY_PLACEHOLDER)
    assert all(KEY_PLACEHOLDER not in repr(each.inputs) for each in recording.resources)


def test_the_properties_say_what_the_stacks_outputs_say() -> None:
    outputs = example(STORAGE).outputs
    assert set(outputs["disks"]) == {"node-1", "node-2"}


def test_all_mistakes_in_the_arguments_are_told_at_once_by_the_arguments_names() -> None:
    wrong = nodes({"host": "999.1.1.1"}, {"hostKey": None})
    with pytest.raises(SettingsError) as caught:
        example(STORAGE, nodes=wrong, longhorn={"replicaCount": 0, "versoin": "1.6.4"})
    keys = {problem.key for problem in caught.value.problems}
    assert {"nodes[0].host", "nodes[1].hostKey", "longhorn.replicaCount"} <= keys
    assert 'LonghornStorage "storage" has 4 mistakes; nothing was touched' in str(caught.value)


def test_the_hosts_are_read_before_anything_is_declared_and_what_stands_in_the_way_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def read(questions: Any, _plan: Any) -> dict[str, Any]:
        from components.hosts.reading import Reading

        asked.extend(question.address.name for question in questions)
        return {
            question.address.name: Reading(answer=answer(kernel="4.4.0-21-generic"))
            for question in questions
        }

    monkeypatch.setattr("components.preflight.findings.read_hosts", read)
    with pytest.raises(pulumi.RunError, match="nothing was touched"):
        example(STORAGE, preview=True, checks={"readCluster": False})
    assert asked == ["node-1", "node-2"]


def test_a_second_one_is_refused_by_name(tmp_path: Path) -> None:
    text = (EXAMPLES / STORAGE / "__main__.py").read_text()
    second = text.partition("storage = ")[2].partition("kubernetes.core.v1.Persistent")[0]
    path = tmp_path / "__main__.py"
    another = second.replace('"storage"', '"more"')
    path.write_text(f"{text}\n{another}")
    with pytest.raises(pulumi.RunError, match=r'"more".*"storage" already'):
        another_program.run(path, STORAGE)


def test_the_guard_of_the_volumes_is_the_last_that_is_made() -> None:
    recording = example(STORAGE)
    for part in ("longhorn-release", "longhorn-ready", "longhorn-settings"):
        assert waits_for(recording, "removal-guard", part)
