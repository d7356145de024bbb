"""RancherRegistration and RancherClusterActive on Pulumi's real engine, Rancher a stand-in."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.rancher.registration.active import RancherClusterActive
from components.rancher.registration.registration import RancherRegistration
from configuration.rancher import RancherImportSettings
from lab.common.paths import PROJECT
from lab.rancher.stand_in.server import StandIn
from tests.engine.engine import Engine, Stack
from tests.unit.doubles.a_rancher import (
    ADMIN,
    BOOTSTRAP,
    cleaning_agents,
    gone,
    rancher_at,
    running,
    url_of,
)

pytestmark = pytest.mark.engine

REGISTRATION = "pulumi-python:dynamic/rancher:Registration"
ACTIVE = "pulumi-python:dynamic/rancher:ClusterActive"


def program(url: str, ca_pem: str, admin_password: str, cluster_name: str) -> None:
    """The cluster registered and waited for."""
    registration = RancherRegistration(
        "registration",
        rancher=rancher_at(url),
        given=RancherImportSettings(),
        cluster_name=cluster_name,
        url=url,
        ca_pem=ca_pem,
        bootstrap_password=BOOTSTRAP,
        admin_password=admin_password,
        owner="",
        server_id="",
    )
    active = RancherClusterActive(
        "active",
        url=url,
        ca_pem=ca_pem,
        cluster_id=registration.cluster_id,
        api_token=registration.api_token,
        admin_password=admin_password,
        revision="",
        agent_image="",
        timeout_seconds=30,
        opts=pulumi.ResourceOptions(),
    )
    pulumi.export("clusterId", registration.cluster_id)
    pulumi.export("token", registration.registration_token)
    pulumi.export("manifest", registration.manifest)
    pulumi.export("state", active.state)


@pytest.fixture(params=["v2.8.5", "v2.13.1"])
def stand_in(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[StandIn]:
    """Rancher before and after it got its new login path."""
    with running(tmp_path / "rancher", version=request.param) as one, cleaning_agents(one):
        yield one


@pytest.fixture
def arguments(stand_in: StandIn) -> dict[str, str]:
    return {
        "url": url_of(stand_in),
        "ca_pem": stand_in.ca_pem,
        "admin_password": ADMIN,
        "cluster_name": "storage",
    }


@pytest.fixture
def stack(tmp_path: Path, arguments: dict[str, str]) -> Stack:
    """Registered, and the cluster active."""
    engine = Engine(tmp_path / "engine")
    # The providers travel by reference, and this program's folder is not the project's.
    engine.environment["PYTHONPATH"] = str(PROJECT)
    made = engine.stack("test", program=program, arguments=arguments)
    made.up().or_fail()
    return made


def clusters(stand_in: StandIn) -> dict[str, str]:
    return {
        each.id: each.name for each in stand_in.context.state.clusters.values() if each.imported
    }


def state_text(tmp_path: Path) -> str:
    """Everything that the backend has on disk."""
    files = [path for path in (tmp_path / "engine" / "backend").rglob("*") if path.is_file()]
    assert files
    return "\n".join(path.read_text(errors="replace") for path in files)


def test_a_registered_cluster_needs_no_change_and_no_secret_is_readable(
    stack: Stack, stand_in: StandIn, tmp_path: Path
) -> None:
    outputs = stack.outputs()
    assert clusters(stand_in) == {outputs["clusterId"]: "storage"}
    assert outputs["state"] == "active"
    for operation in ("preview", "refresh", "up", "preview"):
        outcome = stack.start(operation).wait().or_fail()
        assert outcome.operations() == {}, operation

    plain: dict[str, Any] = stack.export(show_secrets=True)["deployment"]
    registration = next(each for each in plain["resources"] if each["type"] == REGISTRATION)
    api_token = json.loads(registration["outputs"]["api_token"]["plaintext"])
    kept = state_text(tmp_path)
    for secret in (BOOTSTRAP, ADMIN, api_token, outputs["token"], "CATTLE_SERVER"):
        assert secret not in kept
    assert "RancherRegistrationProvider" not in kept, "the provider is kept pickled, by reference"


def test_another_password_is_an_update_and_nothing_is_replaced(
    stack: Stack, stand_in: StandIn, arguments: dict[str, str]
) -> None:
    before = clusters(stand_in)
    stack.arguments = arguments | {"admin_password": "another-" + ADMIN}
    for operation in ("preview", "up"):
        outcome = stack.start(operation).wait().or_fail()
        done = [outcome.operations(kind) for kind in (REGISTRATION, ACTIVE)]
        assert done == [{"update": 1}] * 2, operation
    assert clusters(stand_in) == before
    assert stack.preview().or_fail().operations() == {}


def test_a_cluster_that_somebody_deleted_keeps_up_from_succeeding_until_a_refresh(
    stack: Stack, stand_in: StandIn
) -> None:
    (gone,) = clusters(stand_in)
    del stand_in.context.state.clusters[gone]
    outcome = stack.preview().or_fail()
    assert outcome.operations() == {"update": 1}
    assert outcome.operations(ACTIVE) == {"update": 1}
    failed = stack.up()
    assert not failed.succeeded
    assert f"{gone}: Rancher has no such cluster any more" in failed.log
    stack.refresh().or_fail()
    outcome = stack.preview().or_fail()
    assert [outcome.operations(kind) for kind in (REGISTRATION, ACTIVE)] == [{"create": 1}] * 2
    stack.up().or_fail()
    assert list(clusters(stand_in).values()) == ["storage"]
    assert gone not in clusters(stand_in)


def test_another_name_renames_the_cluster_and_leaves_it_registered(
    stack: Stack, stand_in: StandIn, arguments: dict[str, str]
) -> None:
    ((registered, _),) = clusters(stand_in).items()
    stack.arguments = arguments | {"cluster_name": "renamed"}
    for operation in ("preview", "up"):
        outcome = stack.start(operation).wait().or_fail()
        assert outcome.operations(REGISTRATION) == {"update": 1}, operation
    assert clusters(stand_in) == {registered: "renamed"}
    assert stack.preview("--refresh").or_fail().operations() == {}
    stack.destroy().or_fail()
    assert clusters(stand_in) == {}
    assert stand_in.context.state.tokens == {}


def test_destroy_leaves_neither_cluster_nor_token(stack: Stack, stand_in: StandIn) -> None:
    outcome = stack.destroy().or_fail()
    assert [outcome.operations(kind) for kind in (REGISTRATION, ACTIVE)] == [{"delete": 1}] * 2
    assert clusters(stand_in) == {}
    assert stand_in.context.state.tokens == {}


# What is gone has no version.
@pytest.mark.parametrize("stand_in", ["v2.8.5"], indirect=True)
def test_destroy_is_not_held_up_by_a_rancher_that_is_gone(stack: Stack, stand_in: StandIn) -> None:
    port = stand_in.https_port
    with gone(stand_in):
        outcome = stack.destroy().or_fail()
    assert f"127.0.0.1:{port}" in outcome.log
    assert "Rancher is gone" in outcome.log
    assert stack.resources(REGISTRATION) == []
    assert stack.resources(ACTIVE) == []
