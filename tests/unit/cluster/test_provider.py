"""What the program asks of Pulumi's provider for the cluster."""

import pytest

from tests.unit.doubles.a_stack import run, valid
from tools.offline.recording import Declared


def _provider() -> Declared:
    (provider,) = run(valid()).of_type("pulumi:providers:kubernetes")
    return provider


@pytest.mark.parametrize(
    "option", ["enableServerSideApply", "enablePatchForce", "upsertExistingObjects"]
)
def test_the_provider_overrides_other_owners_and_takes_over_what_is_there(option: str) -> None:
    assert _provider().inputs[option] in (True, "true")


def test_the_provider_is_bound_to_the_name_that_the_cluster_had_at_first() -> None:
    provider = _provider()
    assert provider.inputs["clusterIdentifier"] == "test"
    assert list(provider.request.ignoreChanges) == ["clusterIdentifier"]


def test_the_home_directory_in_the_path_of_the_kubeconfig_is_resolved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", "/home/operator")
    config = valid(cluster={"name": "test", "kubeconfig": "~/.kube/of-its-own", "context": "two"})
    (provider,) = run(config).of_type("pulumi:providers:kubernetes")
    assert provider.inputs["kubeconfig"] == "/home/operator/.kube/of-its-own"
    assert provider.inputs["context"] == "two"
