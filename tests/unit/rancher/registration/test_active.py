"""The wait until Rancher really has the cluster."""

from pathlib import Path
from typing import Any

import pytest
from pulumi.output import Unknown

from components.common.waiting import Clock
from components.rancher.api.clusters import Cluster
from components.rancher.api.errors import (
    CertificateMismatchError,
    ClusterNotActiveError,
    NotReadyError,
    WrongPasswordError,
)
from components.rancher.registration import active
from components.rancher.registration import activity as rancher_activity
from components.rancher.registration.active import RancherClusterActiveProvider
from components.rancher.registration.activity import (
    RancherView,
    wait_until_active,
    why_not_active,
    why_not_settled,
)
from components.rancher.registration.registration import RancherRegistrationProvider
from lab.rancher.stand_in.server import StandIn
from tests.unit.doubles.a_rancher import (
    ADMIN,
    agent_says,
    gone,
    registration_inputs,
    running,
    url_of,
)

pytestmark = pytest.mark.usefixtures("impatient")

ALL_TRUE = {"Connected": ("True", ""), "Ready": ("True", "")}
ACTIVE = Cluster("c-1", "storage", "active", "", ALL_TRUE)
IMAGE = "rancher/rancher-agent:v2.8.5"
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


def an_agent(image: str = IMAGE, **status: int) -> dict[str, Any]:
    """The agent's Deployment with all its pods renewed, or what `status` says."""
    pods = {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}
    return {
        "metadata": {"generation": 2},
        "spec": {"replicas": 2, "template": {"spec": {"containers": [{"image": image}]}}},
        "status": pods | status,
    }


def wait(
    looks: Looks, agents: list[dict[str, Any] | None] | None = None, **changes: Any
) -> list[str]:
    """What was said while it waited; a redeploy is said as `again`."""
    said: list[str] = []
    agents = agents or [an_agent()]
    wanted: dict[str, Any] = {
        "cluster_id": "c-1",
        "image": IMAGE,
        "confirmations": 3,
        "timeout_seconds": 30.0,
    }
    wait_until_active(
        RancherView(
            cluster=looks,
            agent=lambda: agents.pop(0) if len(agents) > 1 else agents[0],
            deploy_again=lambda _: said.append("again"),
        ),
        say=said.append,
        clock=Clock(now=looks.clock, sleep=lambda _: None),
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


def test_what_is_missing_is_told_every_now_and_then_and_a_setback_at_once() -> None:
    said = wait(Looks(*[PENDING] * 31, ACTIVE, UNCONNECTED, ACTIVE), timeout_seconds=60.0)
    assert len(said) == 2
    assert "pending" in said[0]
    assert "Connected" in said[1]
    assert "gone again" in said[1]


def test_a_cluster_that_rancher_hides_for_a_moment_is_waited_for() -> None:
    wait(Looks(*[None] * 10, ACTIVE))
    with pytest.raises(ClusterNotActiveError, match="no such cluster any more"):
        wait(Looks(*[None] * 20, ACTIVE))


def test_a_rancher_that_was_away_may_hide_it_for_a_moment_when_it_is_back() -> None:
    looks = Looks(None, ACTIVE)
    seconds = iter(range(1, 1000))

    def cluster() -> Cluster | None:
        if next(seconds) < 25:
            raise ConnectionError("refused")
        return looks()

    wait_until_active(
        RancherView(cluster=cluster, agent=an_agent, deploy_again=lambda _: None),
        cluster_id="c-1",
        image=IMAGE,
        confirmations=3,
        timeout_seconds=100.0,
        say=lambda _: None,
        clock=Clock(now=lambda: float(next(seconds)), sleep=lambda _: None),
    )


def test_the_deadline_tells_the_reason_and_what_to_look_at() -> None:
    with pytest.raises(ClusterNotActiveError) as caught:
        wait(Looks(PENDING))
    message = str(caught.value)
    assert "within 30 s" in message
    assert "no agent yet" in message
    assert "logs deploy/cattle-cluster-agent" in message


@pytest.mark.parametrize(
    ("agent", "why"),
    [
        (None, "does not answer through Rancher"),
        (an_agent(observedGeneration=1), "newest form"),
        (an_agent(updatedReplicas=1), "1 of 2 new pods"),
        (an_agent(replicas=3), "old pods"),
        (an_agent(availableReplicas=1), "1 of 2 new pods are available"),
        (an_agent("registry.example.com/rancher/rancher-agent:v2.8.4"), "is still"),
    ],
)
def test_an_agent_that_is_still_to_be_renewed_does_not_count(
    agent: dict[str, Any] | None, why: str
) -> None:
    assert why in why_not_settled(agent, IMAGE)
    assert why_not_settled(an_agent(f"registry.example.com/{IMAGE}"), IMAGE) == ""


def test_a_cluster_called_active_without_an_agent_that_answers_is_waited_for() -> None:
    looks = Looks(ACTIVE)
    wait(looks, [None, an_agent(), None, an_agent()])
    assert looks.count == 6


def test_another_image_than_expected_is_waited_for_only_for_a_while() -> None:
    looks = Looks(ACTIVE)
    said = wait(looks, [an_agent("mirror/agent:own")], timeout_seconds=600.0)
    assert any("mirror/agent:own" in line for line in said)
    assert "again" not in said


LOST = Cluster("c-1", "storage", "unavailable", "", {"AgentDeployed": ("True", "")})


def test_an_agent_that_stays_away_is_deployed_again_through_rancher() -> None:
    said = wait(Looks(*[LOST] * 40, ACTIVE), timeout_seconds=600.0)
    assert said.count("again") == 1


FIRST = Cluster("c-1", "storage", "waiting", "", {"AgentDeployed": ("True", "")})


@pytest.mark.parametrize("away", [[PENDING] * 200, [LOST] * 20, [FIRST] * 60])
def test_an_agent_that_never_came_or_is_away_for_a_moment_is_left_alone(
    away: list[Cluster],
) -> None:
    assert "again" not in wait(Looks(*away, ACTIVE), timeout_seconds=600.0)


@pytest.fixture
def props(stand_in: StandIn) -> dict[str, Any]:
    outs = RancherRegistrationProvider().create(registration_inputs(stand_in)).outs
    assert outs is not None
    return active_inputs(stand_in, outs)


def active_inputs(stand_in: StandIn, outs: dict[str, Any]) -> dict[str, Any]:
    return {
        "url": url_of(stand_in),
        "ca_pem": stand_in.ca_pem,
        "api_token": outs["api_token"],
        "admin_password": ADMIN,
        "cluster_id": outs["cluster_id"],
        "revision": "1",
        "agent_image": IMAGE,
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


def test_an_agent_without_features_is_shown_by_a_refresh_and_deployed_again_by_an_update(
    stand_in: StandIn, props: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rancher_activity, "_LOST_SECONDS", 0.05)
    provider = RancherClusterActiveProvider()
    token = connect(stand_in, props["cluster_id"])
    made = provider.create(props)
    assert made.outs is not None
    agent_says(stand_in, "connect", token, features="")
    found = provider.read(made.id, made.outs).outs
    assert found is not None
    assert found["state"] == "unavailable"
    assert provider.diff(made.id, found, props).changes

    features = ""

    def deploy(_seconds: float) -> None:
        nonlocal features
        if "apply" in agent_says(stand_in, "connect", token, features=features):
            agent_says(stand_in, "applied", token)
            features = "some=true"

    clock = Clock(sleep=deploy)
    monkeypatch.setattr(rancher_activity, "SYSTEM_CLOCK", clock)
    updated = provider.update(made.id, found, props).outs
    assert updated is not None
    assert updated["state"] == "active"


def test_a_word_of_rancher_s_that_is_old_is_no_proof(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rancher_activity, "_LOST_SECONDS", 10_000.0)
    monkeypatch.setattr(active, "_AGENT_SECONDS", 0.2)
    with running(tmp_path, check_seconds=10_000.0) as slow:
        outs = RancherRegistrationProvider().create(registration_inputs(slow)).outs
        assert outs is not None
        mine = active_inputs(slow, outs)
        token = connect(slow, outs["cluster_id"])
        agent_says(slow, "connect", token, features="")
        with pytest.raises(ClusterNotActiveError, match="does not answer through Rancher"):
            RancherClusterActiveProvider().create(mine | {"timeout_seconds": 0.2})
        found = RancherClusterActiveProvider().read(outs["cluster_id"], mine).outs
        assert found is not None
        assert found["state"] == "disconnected"


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


def test_a_preview_alone_shows_a_cluster_that_is_not_active_any_more(
    stand_in: StandIn, props: dict[str, Any]
) -> None:
    provider = RancherClusterActiveProvider()
    connect(stand_in, props["cluster_id"])
    made = provider.create(props)
    assert made.outs is not None
    assert not provider.diff(made.id, made.outs, props).changes
    stand_in.faults.change({"flaps": 1})
    assert provider.diff(made.id, made.outs, props).changes


def test_a_preview_makes_nothing_of_a_rancher_without_an_answer(
    stand_in: StandIn, props: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(active, "_PREVIEW_SECONDS", 0.1)
    provider = RancherClusterActiveProvider()
    connect(stand_in, props["cluster_id"])
    made = provider.create(props)
    assert made.outs is not None
    stand_in.stop()
    assert not provider.diff(made.id, made.outs, props).changes


def test_another_server_at_rancher_s_address_is_a_difference_on_which_up_fails(
    stand_in: StandIn, props: dict[str, Any]
) -> None:
    provider = RancherClusterActiveProvider()
    connect(stand_in, props["cluster_id"])
    made = provider.create(props)
    assert made.outs is not None
    stand_in.swap_ca()
    found = provider.diff(made.id, made.outs, props)
    assert (found.changes, found.replaces) == (True, [])
    with pytest.raises(CertificateMismatchError, match="read the CA again"):
        provider.update(made.id, made.outs, props)
    assert provider.read(made.id, made.outs).outs == made.outs


def test_a_ca_that_the_stack_file_has_changed_is_an_update_that_succeeds(
    stand_in: StandIn, props: dict[str, Any]
) -> None:
    provider = RancherClusterActiveProvider()
    connect(stand_in, props["cluster_id"])
    made = provider.create(props)
    assert made.outs is not None
    stand_in.swap_ca()
    renewed = props | {"ca_pem": stand_in.ca_pem}
    assert provider.diff(made.id, made.outs, renewed).changes
    outs = provider.update(made.id, made.outs, renewed).outs
    assert outs is not None
    assert not provider.diff(made.id, outs, renewed).changes


def test_a_cluster_that_somebody_deleted_in_rancher_is_a_difference_on_which_up_fails(
    stand_in: StandIn,
    props: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(rancher_activity, "_GONE_SECONDS", 0.05)
    provider = RancherClusterActiveProvider()
    connect(stand_in, props["cluster_id"])
    made = provider.create(props)
    assert made.outs is not None
    del stand_in.context.state.clusters[props["cluster_id"]]
    found = provider.diff(made.id, made.outs, props)
    assert found.changes
    assert not found.replaces
    told = capsys.readouterr().err
    assert "`pulumi up --refresh` registers it again" in told
    assert "once Rancher's clean-up" in told
    with pytest.raises(ClusterNotActiveError, match="pulumi up --refresh"):
        provider.update(made.id, made.outs, props)


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
    with gone(stand_in):
        RancherClusterActiveProvider().delete(props["cluster_id"], props)
    said = capsys.readouterr().err
    assert "Rancher is gone" in said
    assert "kubectl delete" not in said


def test_deleting_fails_while_a_rancher_is_there_and_does_not_work(
    stand_in: StandIn, props: dict[str, Any]
) -> None:
    stand_in.faults.change({"errors": 10_000})
    with pytest.raises(NotReadyError, match="HTTP 503"):
        RancherClusterActiveProvider().delete(props["cluster_id"], props)
