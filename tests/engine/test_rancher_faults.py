"""Rancher in trouble, met by Pulumi's real engine: what ends well, and what stops with a reason."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.rancher.registration.registration import RancherRegistrationProvider
from lab.common.paths import PROJECT
from lab.common.waiting import wait_until
from lab.rancher.stand_in.options import Options
from lab.rancher.stand_in.server import StandIn
from tests.engine.engine import Engine, Stack
from tests.engine.test_rancher_registration import clusters, program
from tests.unit.doubles.a_rancher import (
    ADMIN,
    BOOTSTRAP,
    agent_says,
    cleaning_agents,
    registration_inputs,
    running,
    url_of,
)

pytestmark = pytest.mark.engine
SOMEBODYS = "set-by-" + "somebody"


@pytest.fixture
def stand_in(tmp_path: Path) -> Iterator[StandIn]:
    with running(tmp_path / "rancher") as one, cleaning_agents(one):
        yield one


def new_stack(tmp_path: Path, stand_in: StandIn, **changes: Any) -> Stack:
    """A stack that nobody has brought up yet."""
    engine = Engine(tmp_path / "engine")
    # The providers travel by reference, and this program's folder is not the project's.
    engine.environment["PYTHONPATH"] = str(PROJECT)
    arguments = {
        "url": url_of(stand_in),
        "ca_pem": stand_in.ca_pem,
        "admin_password": ADMIN,
        "cluster_name": "storage",
        **changes,
    }
    return engine.stack("test", program=program, arguments=arguments)


@pytest.mark.parametrize(
    "fault",
    ["not_found", "errors", "drop", "errors_after", "ping_flaps"],
    ids=[
        "slow start",
        "5xx for a while",
        "no answers for a while",
        "answers lost",
        "5xx between pongs",
    ],
)
def test_a_rancher_in_trouble_for_a_while_ends_active_and_registered_once(
    tmp_path: Path, stand_in: StandIn, fault: str
) -> None:
    stack = new_stack(tmp_path, stand_in)
    stand_in.faults.change({fault: 8})
    stack.up().or_fail()
    assert getattr(stand_in.faults, fault) == 0, "the trouble was not over when it went on"
    assert stack.outputs()["state"] == "active"
    assert list(clusters(stand_in)) == [stack.outputs()["clusterId"]]
    assert stack.preview().or_fail().operations() == {}


def test_a_rancher_restarted_half_way_ends_registered_once(tmp_path: Path) -> None:
    folder = tmp_path / "rancher"
    with running(folder) as first:
        port = first.https_port
        stack = new_stack(tmp_path, first)
        under_way = stack.start("up")
        wait_until(
            lambda: bool(clusters(first)), doing="waiting for the cluster", seconds=60, hint=""
        )
        made = clusters(first)
    options = Options(
        data_directory=folder,
        bootstrap_password=BOOTSTRAP,
        token_delay_seconds=0.0,
        activation_seconds=0.0,
    )
    second = StandIn(options, host="127.0.0.1", https_port=port, http_port=0)
    second.start()
    try:
        with cleaning_agents(second):
            under_way.wait().or_fail()
            assert clusters(second) == made
            assert stack.preview().or_fail().operations() == {}
    finally:
        second.stop()


def test_a_wrong_password_is_told_and_the_right_one_completes(tmp_path: Path) -> None:
    with running(tmp_path / "rancher", bootstrap_password=SOMEBODYS) as one, cleaning_agents(one):
        stack = new_stack(tmp_path, one)
        refused = stack.up()
        assert not refused.succeeded
        assert "takes neither" in refused.errors()
        assert SOMEBODYS not in refused.log
        stack.arguments = {**stack.arguments, "admin_password": SOMEBODYS}
        stack.up().or_fail()
        assert stack.outputs()["state"] == "active"


def test_an_expired_token_is_renewed_by_a_refresh(tmp_path: Path, stand_in: StandIn) -> None:
    stack = new_stack(tmp_path, stand_in)
    stack.up().or_fail()
    stand_in.faults.change({"expire_tokens": 1})
    stack.refresh().or_fail()
    stack.up().or_fail()
    assert stack.preview().or_fail().operations() == {}
    stack.destroy().or_fail()
    assert clusters(stand_in) == {}


def test_a_ca_swapped_between_two_calls_stops_everything_behind_it(
    tmp_path: Path, stand_in: StandIn
) -> None:
    stack = new_stack(tmp_path, stand_in)
    stand_in.faults.change({"swap_ca": 8})
    caught = stack.up()
    assert not caught.succeeded
    assert "certificate" in caught.errors().lower() or "CA" in caught.errors()
    assert "pulumi-python:dynamic/rancher:ClusterActive" not in {
        resource["type"] for resource in stack.resources()
    }


def test_a_name_that_another_cluster_has_joined_under_is_refused(
    tmp_path: Path, stand_in: StandIn
) -> None:
    other = RancherRegistrationProvider().create(registration_inputs(stand_in)).outs or {}
    agent_says(stand_in, "connect", other["registration_token"])
    stack = new_stack(tmp_path, stand_in)
    refused = stack.up()
    assert not refused.succeeded
    assert "Choose another cluster name" in refused.errors()
    assert list(clusters(stand_in)) == [other["cluster_id"]]
