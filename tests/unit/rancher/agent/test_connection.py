"""What of the agent's Deployment is this program's, and what Rancher's."""

import copy
from typing import Any

import pytest
import yaml

from components.rancher.agent.connection import (
    connection_of,
    credentials_of,
    image_of,
    is_rancher_s,
    patch_for,
    rollout_problem,
)
from lab.rancher.stand_in.manifest import render
from lab.rancher.stand_in.redeployment import FEATURES

URL = "https://rancher.example.com"


def a_deployment(**changes: Any) -> dict[str, Any]:
    """The Deployment of an import manifest."""
    given: dict[str, Any] = {
        "server_url": URL,
        "token": "t1",
        "ca_pem": "",
        "checksum": "c1",
        "version": "v2.8.5",
    }
    given |= {"install_uuid": "u", **changes}
    text = render(**given)
    (found,) = [each for each in yaml.safe_load_all(text) if each and each["kind"] == "Deployment"]
    return found


def rancher_s(**changes: str) -> dict[str, Any]:
    """What Rancher applies over it: features, and the token of a second registration."""
    return a_deployment(**({"features": FEATURES, "token": "system"} | changes))


def test_the_connection_is_where_rancher_is_and_by_what_it_is_trusted() -> None:
    assert connection_of(a_deployment()) == {"server": URL, "ca_checksum": "c1"}
    assert connection_of(a_deployment(server_url=f"{URL}:443/")) == connection_of(a_deployment())
    assert credentials_of(a_deployment()) != credentials_of(rancher_s())
    assert image_of(a_deployment()) == "rancher/rancher-agent:v2.8.5"


def test_what_rancher_applied_is_left_alone() -> None:
    assert not is_rancher_s(a_deployment())
    assert is_rancher_s(rancher_s())
    assert patch_for(rancher_s(), a_deployment(), a_deployment()) is None
    assert patch_for(rancher_s(), a_deployment(), None) is None


def test_a_new_version_is_rancher_s_to_bring() -> None:
    assert patch_for(rancher_s(), a_deployment(version="v2.8.6"), a_deployment()) is None
    newer = rancher_s(version="v2.8.6")
    assert patch_for(newer, a_deployment(), None) is None, "an old manifest takes nothing back"


@pytest.mark.parametrize(
    "changes", [{"checksum": "c2"}, {"server_url": "https://other.example.com"}, {"token": "t2"}]
)
def test_another_connection_is_brought_without_what_is_rancher_s(changes: dict[str, str]) -> None:
    wanted = a_deployment(**changes)
    patch = patch_for(rancher_s(), wanted, a_deployment())
    assert patch is not None
    pod = patch["spec"]["template"]["spec"]
    assert set(patch["spec"]) == {"template"}
    assert set(pod) == {"containers", "volumes"}
    (container,) = pod["containers"]
    told = {each["name"]: each["value"] for each in container["env"]}
    assert set(told) == {"CATTLE_SERVER", "CATTLE_CA_CHECKSUM"}
    assert "image" not in container
    assert pod["volumes"][0]["secret"]["secretName"] == credentials_of(wanted)


def test_an_agent_that_was_told_another_connection_by_hand_gets_the_right_one() -> None:
    elsewhere = rancher_s(server_url="https://elsewhere.example.com")
    assert patch_for(elsewhere, a_deployment(), a_deployment()) is not None


def test_the_name_of_the_credentials_goes_along_where_the_agent_is_told_it() -> None:
    wanted = a_deployment(version="v2.13.1", checksum="c2")
    patch = patch_for(rancher_s(version="v2.13.1"), wanted, None)
    assert patch is not None
    (container,) = patch["spec"]["template"]["spec"]["containers"]
    told = {each["name"]: each["value"] for each in container["env"]}
    assert told["CATTLE_CREDENTIAL_NAME"] == credentials_of(wanted)


def test_pull_secrets_go_along_with_the_connection() -> None:
    wanted = a_deployment(checksum="c2")
    wanted["spec"]["template"]["spec"]["imagePullSecrets"] = [{"name": "cattle-private-registry"}]
    patch = patch_for(rancher_s(), wanted, None)
    assert patch is not None
    pulled = patch["spec"]["template"]["spec"]["imagePullSecrets"]
    assert pulled == [{"name": "cattle-private-registry"}]


def test_until_rancher_has_applied_its_own_the_whole_manifest_counts() -> None:
    wanted = a_deployment(version="v2.8.6")
    patch = patch_for(a_deployment(), wanted, a_deployment())
    assert patch is not None
    assert patch["spec"]["template"] == wanted["spec"]["template"]
    assert "selector" not in patch["spec"], "Kubernetes never changes it"


@pytest.mark.parametrize("live", [rancher_s(), a_deployment()], ids=["Rancher's", "the manifest's"])
@pytest.mark.parametrize(("given", "replicas"), [(None, 1), (2, 2), (2.0, 2), (0, 1)])
def test_an_agent_that_was_scaled_to_0_gets_as_many_pods_as_the_manifest_has_or_one(
    live: dict[str, Any], given: float | None, replicas: int
) -> None:
    wanted = a_deployment()
    if given is not None:
        wanted["spec"]["replicas"] = given
    off = {**live, "spec": {**live["spec"], "replicas": 0}}
    patch = patch_for(off, wanted, wanted)
    assert patch is not None
    assert patch["spec"]["replicas"] == replicas
    if is_rancher_s(live):
        assert patch == {"spec": {"replicas": replicas}}


def test_how_many_pods_there_are_is_rancher_s_where_there_are_any() -> None:
    live = rancher_s()
    live["spec"]["replicas"] = 2
    assert patch_for(live, a_deployment(), a_deployment()) is None
    given = a_deployment()
    given["spec"]["replicas"] = 0
    patch = patch_for({**a_deployment(), "spec": live["spec"]}, given, given)
    assert patch is None, "Rancher's own"
    live = a_deployment()
    live["spec"]["replicas"] = 1
    patch = patch_for(live, given, given)
    assert patch is not None
    assert patch["spec"]["replicas"] == 1, "a manifest never takes the last pod away"


DONE = {
    "metadata": {"generation": 3},
    "spec": {"replicas": 2},
    "status": {
        "observedGeneration": 3,
        "replicas": 2,
        "updatedReplicas": 2,
        "availableReplicas": 2,
    },
}


@pytest.mark.parametrize(
    ("status", "problem"),
    [
        ({}, ""),
        ({"observedGeneration": 2}, "has not seen"),
        ({"updatedReplicas": None}, "0 of 2 new pods"),
        ({"replicas": 3}, "old pods"),
        ({"availableReplicas": 1}, "1 of 2 new pods are available"),
    ],
)
def test_a_rollout_is_done_when_all_pods_are_new_and_available(
    status: dict[str, Any], problem: str
) -> None:
    deployment = copy.deepcopy(DONE)
    deployment["status"].update(status)
    found = rollout_problem(deployment)
    assert problem in found
    assert bool(found) == bool(problem)
