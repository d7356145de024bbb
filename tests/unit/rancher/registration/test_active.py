"""The wait until Rancher really has the cluster."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pulumi.output import Unknown

from components.rancher.api.clusters import Cluster
from components.rancher.api.errors import ClusterNotActiveError, NotReadyError, WrongPasswordError
from components.rancher.registration.active import RancherClusterActiveProvider
from components.rancher.registration.activity import wait_until_active, why_not_active
from components.rancher.registration.registration import RancherRegistrationProvider
from lab.rancher.stand_in.server import StandIn
from tests.unit.doubles.a_rancher import (
    ADMIN,
    agent_says,
    impatient,
    registration_inputs,
    running,
    url_of,
)

__all__ = ["impatient"]
pytestmark = pytest.mark.usefixtures("impatient")

ALL_TRUE = {"Connected": ("True", ""), "Ready": ("True", "")}
ACTIVE = Cluster("c-1", "storage", "active", "", ALL_TRUE)
PENDING = Cluster("c-1", "storage", "pending", "", {"Waiting": ("Unknown", "no agent yet")})
UNCONNECTED = Cluster("c-1", "storage", "active", "", {"Ready": ("True", "")})


class Looks:
    """Answers from a list, the last one for ever; the clock moves a second with each look."""

    def __init__(self, *answers: Cluster | None) -> None:
        self.answers = list(answers)
        self.count = 0

    def __call__(self) -> Cluster | None:
        self.count += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def clock(self) -> float:
        return float(self.count)


def wait(looks: Looks, **changes: Any) -> list[str]:
    said: list[str] = []
    wanted: dict[str, Any] = {"cluster_id": "c-1", "confirmations": 3, "timeout_seconds": 30.0}
    wait_until_active(
        looks,
        say=said.append,
        sleep=lambda _: None,
        clock=looks.clock,
        **(wanted | changes),
    )
    return said


def test_active_counts_only_with_its_conditions() -> None:
    assert why_not_active(ACTIVE) == ""
    assert "Connected" in why_not_active(UNCONNECTED)
    assert "no agent yet" in why_not_active(PENDING)
    assert "no such cluster" in why_not_active(None)


def test_it_is_confirmed_several_times_in_a_row() -> None:
    looks = Looks(PENDING, ACTIVE, ACTIVE, UNCONNECTED, ACTIVE)
    wait(looks)
    assert looks.count == 7, "the two looks before the setback must not count"


def test_one_confirmation_is_enough_where_one_is_wanted() -> None:
    looks = Looks(ACTIVE)
    wait(looks, confirmations=1)
    assert looks.count == 1


def test_each_new_reason_is_told_once() -> None:
    said = wait(Looks(PENDING, PENDING, UNCONNECTED, ACTIVE))
    assert len(said) == 2
    assert "pending" in said[0]
    assert "Connected" in said[1]


def test_the_deadline_tells_the_reason_and_what_to_look_at() -> None:
    with pytest.raises(ClusterNotActiveError) as caught:
        wait(Looks(PENDING))
    message = str(caught.value)
    assert "after 30 s" in message
    assert "no agent yet" in message
    assert "logs deploy/cattle-cluster-agent" in message


@pytest.fixture
def stand_in(tmp_path: Path) -> Iterator[StandIn]:
    with running(tmp_path) as one:
        yield one


@pytest.fixture
def props(stand_in: StandIn) -> dict[str, Any]:
    outs = RancherRegistrationProvider().create(registration_inputs(stand_in)).outs
    assert outs is not None
    return {
        "url": url_of(stand_in),
        "ca_pem": stand_in.ca_pem,
        "api_token": outs["api_token"],
        "admin_password": ADMIN,
        "cluster_id": outs["cluster_id"],
        "revision": "1",
        "confirmations": 3,
        "timeout_seconds": 20.0,
        "delete_timeout_seconds": 0.2,
    }


def connect(stand_in: StandIn, cluster_id: str) -> str:
    token = stand_in.context.state.clusters[cluster_id].token
    agent_says(stand_in, "connect", token)
    return token


def test_it_is_done_when_the_agent_has_joined(stand_in: StandIn, props: dict[str, Any]) -> None:
    connect(stand_in, props["cluster_id"])
    made = RancherClusterActiveProvider().create(props)
    assert made.outs is not None
    assert (made.id, made.outs["state"]) == (props["cluster_id"], "active")
    assert not RancherClusterActiveProvider().diff(made.id, made.outs, props).changes


def test_a_cluster_that_flaps_is_waited_for(stand_in: StandIn, props: dict[str, Any]) -> None:
    connect(stand_in, props["cluster_id"])
    stand_in.faults.change({"flaps": 3})
    RancherClusterActiveProvider().create(props)
    assert stand_in.faults.flaps == 0


def test_an_agent_that_never_joins_is_an_error(props: dict[str, Any]) -> None:
    with pytest.raises(ClusterNotActiveError, match="pending"):
        RancherClusterActiveProvider().create(props | {"timeout_seconds": 0.1})


def test_an_expired_token_is_made_up_for_by_a_login(
    stand_in: StandIn, props: dict[str, Any]
) -> None:
    connect(stand_in, props["cluster_id"])
    stand_in.faults.change({"expire_tokens": 1})
    RancherClusterActiveProvider().create(props)
    stand_in.faults.change({"expire_tokens": 1})
    with pytest.raises(WrongPasswordError):
        RancherClusterActiveProvider().create(props | {"admin_password": "no longer right"})


def test_a_refresh_shows_a_cluster_that_is_not_active_any_more(
    stand_in: StandIn, props: dict[str, Any]
) -> None:
    provider = RancherClusterActiveProvider()
    connect(stand_in, props["cluster_id"])
    made = provider.create(props)
    assert made.outs is not None
    stand_in.faults.change({"flaps": 1})
    found = provider.read(made.id, made.outs)
    assert found.outs is not None
    assert found.outs["state"] == "unavailable"
    assert provider.diff(made.id, found.outs, props).changes
    del stand_in.context.state.clusters[props["cluster_id"]]
    assert not provider.read(made.id, made.outs).id


def test_another_cluster_is_another_wait_but_an_unknown_one_is_not(props: dict[str, Any]) -> None:
    provider = RancherClusterActiveProvider()
    olds = props | {"state": "active"}
    assert provider.diff("c", olds, props | {"cluster_id": "c-other"}).replaces == ["cluster_id"]
    unknown = provider.diff("c", olds, props | {"cluster_id": Unknown()})
    assert (unknown.changes, unknown.replaces) == (True, [])


def test_deleting_takes_the_cluster_out_while_the_agent_runs(
    stand_in: StandIn, props: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    token = connect(stand_in, props["cluster_id"])
    RancherClusterActiveProvider().delete(props["cluster_id"], props)
    assert "delete it in Rancher by hand" in capsys.readouterr().err, "the agent never cleaned up"
    agent_says(stand_in, "cleaned", token)
    RancherClusterActiveProvider().delete(props["cluster_id"], props)
    assert "has no cluster" in capsys.readouterr().err


def test_deleting_is_not_held_up_by_a_rancher_that_is_gone(
    stand_in: StandIn, props: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    stand_in.stop()
    RancherClusterActiveProvider().delete(props["cluster_id"], props)
    said = capsys.readouterr().err
    assert "Rancher is gone" in said
    assert "kubectl delete namespace" in said


def test_deleting_fails_while_a_rancher_is_there_and_does_not_work(
    stand_in: StandIn, props: dict[str, Any]
) -> None:
    stand_in.faults.change({"errors": 10_000})
    with pytest.raises(NotReadyError, match="HTTP 503"):
        RancherClusterActiveProvider().delete(props["cluster_id"], props)
