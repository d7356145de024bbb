"""The lab's stand-in for Rancher's agent trusts and joins as the agent does."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.rancher.api.ca import ca_checksum
from lab.rancher.stand_in import redeployment
from lab.rancher.stand_in.agent import AgentError, Credentials, join
from lab.rancher.stand_in.manifest import agent_image
from lab.rancher.stand_in.server import StandIn
from tests.unit.doubles.a_rancher import logged_in, running, url_of


@pytest.fixture
def stand_in(tmp_path: Path) -> Iterator[StandIn]:
    with running(tmp_path) as one:
        yield one


@pytest.fixture
def credentials(stand_in: StandIn) -> Credentials:
    rancher = logged_in(stand_in)
    cluster = rancher.clusters.find_or_create("storage", "uid")
    token = rancher.clusters.registration_token(cluster.id, 5.0)
    return Credentials(url_of(stand_in), ca_checksum(stand_in.ca_pem), token.value)


def changed(credentials: Credentials, **changes: Any) -> Credentials:
    return dataclasses.replace(credentials, **changes)


def test_it_is_connected_only_with_features_and_rancher_applies_them(
    stand_in: StandIn, credentials: Credentials
) -> None:
    told = join(credentials)
    (cluster,) = [each for each in stand_in.context.state.clusters.values() if each.imported]
    assert cluster.connected_since is None
    (deployment,) = [
        document
        for document in yaml.safe_load_all(told["apply"])
        if document and document["kind"] == "Deployment"
    ]
    first = deployment["spec"]["template"]["spec"]["containers"][0]["env"][0]
    assert first["name"] == "CATTLE_FEATURES"
    assert cluster.system_token not in ("", credentials.token)
    join(changed(credentials, token=cluster.system_token, features=first["value"]))
    assert cluster.connected_since is not None


def test_it_joins_and_cleans_up_when_rancher_takes_the_cluster_out(
    stand_in: StandIn, credentials: Credentials
) -> None:
    credentials = changed(credentials, features="some=true")
    assert join(credentials)["cleanup"] is False
    (cluster,) = [each for each in stand_in.context.state.clusters.values() if each.imported]
    assert cluster.connected_since is not None
    cluster.removing = True
    assert join(credentials)["cleanup"] is True


def test_another_ca_than_the_checksum_says_is_refused(credentials: Credentials) -> None:
    with pytest.raises(AgentError, match="does not match given --ca-checksum"):
        join(changed(credentials, ca_checksum="0" * 64))


def test_a_token_that_rancher_does_not_know_is_found_out_by_the_agent(
    credentials: Credentials,
) -> None:
    with pytest.raises(AgentError, match="HTTP 401"):
        join(changed(credentials, token="nobodymadethis"))  # noqa: S106


def test_its_credentials_are_not_shown(credentials: Credentials) -> None:
    assert credentials.token not in repr(credentials)


def test_another_environment_of_the_cluster_has_its_agent_deployed_again_once(
    stand_in: StandIn, credentials: Credentials
) -> None:
    joined = changed(credentials, features="some=true")
    (cluster,) = [each for each in stand_in.context.state.clusters.values() if each.imported]
    redeployment.text(cluster, server_url="u", ca_pem="", version="v2.8.5", install_uuid="u")
    redeployment.done(cluster, agent_image("v2.8.5"))
    assert "apply" not in join(joined)
    cluster.agent_environment = [{"name": "NO_PROXY", "value": ".svc"}]
    assert "NO_PROXY" in join(joined)["apply"]
    redeployment.done(cluster, agent_image("v2.8.5"))
    assert "apply" not in join(joined)


def test_another_registry_of_rancher_has_its_agent_deployed_again(
    stand_in: StandIn, credentials: Credentials
) -> None:
    joined = changed(credentials, features="some=true")
    (cluster,) = [each for each in stand_in.context.state.clusters.values() if each.imported]
    redeployment.done(cluster, agent_image("v2.8.5", "registry.example.com"))
    assert "image: rancher/rancher-agent:v2.8.5" in join(joined)["apply"]


def test_an_agent_of_another_version_is_deployed_again_whatever_was_recorded(
    stand_in: StandIn, credentials: Credentials
) -> None:
    (cluster,) = [each for each in stand_in.context.state.clusters.values() if each.imported]
    redeployment.done(cluster, agent_image("v2.8.5"))

    def runs(image: str) -> Credentials:
        container = {"name": "cluster-register", "image": image}
        deployment = {"spec": {"template": {"spec": {"containers": [container]}}}}
        return changed(credentials, features="some=true", deployment=deployment)

    assert "apply" not in join(runs(agent_image("v2.8.5")))
    applied = join(runs(agent_image("v2.9.3")))["apply"]
    assert "image: rancher/rancher-agent:v2.8.5" in applied
