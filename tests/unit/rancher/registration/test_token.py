"""The API token ends after 90 days although one without an end was asked for."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from components.rancher.api.accounts import ends_soon
from components.rancher.registration.active import RancherClusterActiveProvider
from components.rancher.registration.registration import RancherRegistrationProvider
from lab.rancher.stand_in.server import StandIn
from tests.unit.doubles.a_rancher import agent_says, client, logged_in, registration_inputs

pytestmark = pytest.mark.usefixtures("impatient")
REGISTRATION, ACTIVE = RancherRegistrationProvider(), RancherClusterActiveProvider()
DAY = 24 * 60 * 60.0


@pytest.fixture
def inputs(stand_in: StandIn) -> dict[str, Any]:
    return registration_inputs(stand_in)


@pytest.fixture
def registered(stand_in: StandIn, inputs: dict[str, Any]) -> dict[str, Any]:
    outs = REGISTRATION.create(inputs).outs
    assert outs is not None
    agent_says(stand_in, "connect", outs["registration_token"])
    return outs


def wait_for(days: float, stand_in: StandIn) -> None:
    stand_in.context.state.clock_ahead_seconds += days * DAY


def is_taken(stand_in: StandIn, token: str) -> bool:
    return stand_in.context.state.token_of(token, stand_in.context.now()) is not None


def test_a_token_without_an_end_ends_after_90_days_and_its_answer_does_not_say_so(
    stand_in: StandIn,
) -> None:
    rancher = logged_in(stand_in)
    made = rancher.accounts.replace_api_token("ours")
    in_days = (datetime.fromisoformat(made.expires_at) - datetime.now(UTC)) / timedelta(days=1)
    assert 89.9 < in_days < 90.1
    wait_for(89, stand_in)
    assert is_taken(stand_in, made.value)
    wait_for(2, stand_in)
    assert not is_taken(stand_in, made.value)


@pytest.mark.parametrize(
    ("days", "soon"), [(91.0, False), (31.0, False), (29.0, True), (-1.0, True)]
)
def test_it_is_renewed_in_its_last_month(days: float, soon: bool) -> None:
    now = datetime.now(UTC)
    assert ends_soon((now + timedelta(days=days)).isoformat(), now) is soon
    assert not ends_soon("", now), "a Rancher whose tokens never end says none"


@pytest.mark.parametrize(
    ("life", "days", "soon"),
    [(90.0, 31.0, False), (90.0, 29.0, True), (14.0, 14.0, False), (14.0, 4.0, True)],
)
def test_one_of_a_short_life_is_renewed_in_its_last_third(
    life: float, days: float, soon: bool
) -> None:
    now = datetime.now(UTC)
    end = now + timedelta(days=days)
    made = (end - timedelta(days=life)).isoformat()
    assert ends_soon(end.isoformat(), now, made) is soon


def test_one_of_a_rancher_that_gives_them_two_weeks_is_not_renewed_at_every_run(
    inputs: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lab.rancher.stand_in.state._LONGEST_TTL", int(14 * DAY * 1000))
    outs = REGISTRATION.create(inputs).outs
    assert outs is not None
    assert not REGISTRATION.diff("storage", outs, inputs).changes
    again = REGISTRATION.update("storage", outs, inputs).outs
    assert again is not None
    assert again["api_token"] == outs["api_token"]


def test_up_renews_a_token_that_ends_soon_and_leaves_every_other_one(
    stand_in: StandIn, inputs: dict[str, Any], registered: dict[str, Any]
) -> None:
    assert not REGISTRATION.diff("storage", registered, inputs).changes
    now = datetime.now(UTC)
    old = registered | {
        "api_token_made": (now - timedelta(days=85)).isoformat(),
        "api_token_expires": (now + timedelta(days=5)).isoformat(),
    }
    found = REGISTRATION.diff("storage", old, inputs)
    assert (found.changes, found.replaces) == (True, [])
    renewed = REGISTRATION.update("storage", old, inputs).outs
    assert renewed is not None
    assert renewed["api_token"] != old["api_token"]
    assert is_taken(stand_in, renewed["api_token"])
    assert not is_taken(stand_in, old["api_token"]), "the old one must not stay behind"
    assert not REGISTRATION.diff("storage", renewed, inputs).changes
    assert renewed["manifest"] == old["manifest"]


def test_a_stack_left_alone_for_a_quarter_is_refreshed_updated_and_destroyed(
    stand_in: StandIn, inputs: dict[str, Any], registered: dict[str, Any]
) -> None:
    wanted = {key: inputs[key] for key in ("url", "ca_pem", "admin_password")} | {
        "api_token": registered["api_token"],
        "cluster_id": registered["cluster_id"],
        "revision": "1",
        "confirmations": 1,
        "timeout_seconds": 5.0,
        "delete_timeout_seconds": 5.0,
    }
    active = ACTIVE.create(wanted).outs
    assert active is not None
    wait_for(92, stand_in)
    agent_says(stand_in, "connect", registered["registration_token"])

    seen = REGISTRATION.read("storage", registered).outs
    waited = ACTIVE.read(active["cluster_id"], active).outs
    assert seen is not None
    assert waited == active
    assert is_taken(stand_in, seen["api_token"])
    assert not REGISTRATION.diff("storage", seen, inputs).changes
    again = wanted | {"api_token": seen["api_token"]}
    assert not ACTIVE.diff("", active, again).changes, "a renewed token is no news of the cluster"

    ACTIVE.update("", active, again | {"revision": "2"})
    REGISTRATION.update("storage", registered, inputs)
    wait_for(92, stand_in)
    agent_says(stand_in, "connect", registered["registration_token"])
    stand_in.context.state.clusters[active["cluster_id"]].last_word = None
    ACTIVE.delete(active["cluster_id"], active)
    REGISTRATION.delete("storage", seen)
    assert [one.id for one in stand_in.context.state.clusters.values()] == ["local"]
    rancher = client(stand_in)
    rancher.accounts.login(inputs["admin_password"])
    assert not any(
        token.description for token in stand_in.context.state.tokens.values() if token.is_derived
    )
