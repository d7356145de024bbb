"""The import into a Rancher that is there already, as a component of another program."""

import pytest

from configuration.problems import SettingsError
from tests.unit.doubles.a_stack import waits_for
from tests.unit.doubles.another_program import IMPORT, example
from tools.offline.recording import SecretValue

_TOKEN = "tr0ub4dor-" + "token"


def test_everything_of_it_stands_below_the_component() -> None:
    alone = sorted(each.name for each in example(IMPORT).resources if not each.parent)
    assert alone == ["cluster", "rancher", "shop"]


def test_the_cluster_is_registered_with_the_given_address_ca_and_token() -> None:
    inputs = example(IMPORT).named("rancher-registration").inputs
    assert inputs["url"] == "https://rancher.example.com"
    assert inputs["ca_pem"].startswith("-----BEGIN CERTIFICATE-----")
    assert inputs["api_token"] == SecretValue(_TOKEN)
    assert inputs["cluster_name"] == "shop"


def test_without_a_ca_those_of_this_machine_are_trusted() -> None:
    assert example(IMPORT, rancherCa=None).named("rancher-registration").inputs["ca_pem"] == ""


def test_the_token_reaches_no_input_and_no_output_in_plain_text() -> None:
    recording = example(IMPORT)
    assert all(_TOKEN not in repr(each.inputs) for each in recording.resources)
    assert _TOKEN not in repr(recording.outputs)


@pytest.mark.parametrize("part", ["rancher-cleanup", "rancher-agent-deployment"])
def test_what_it_depends_on_is_there_before_the_agent(part: str) -> None:
    assert waits_for(example(IMPORT), part, "shop")


def test_the_outputs_are_the_clusters_in_rancher() -> None:
    assert example(IMPORT).outputs == {"clusterId": "c-mock1", "state": "active"}


def test_all_mistakes_are_told_at_once_by_the_arguments_names() -> None:
    with pytest.raises(SettingsError) as caught:
        example(IMPORT, rancherUrl="http://rancher.example.com", rancherCa="/etc/rancher-ca.pem")
    assert {problem.key for problem in caught.value.problems} == {"url", "ca_pem"}
    assert 'RancherImport "rancher" has 2 mistakes' in str(caught.value)
