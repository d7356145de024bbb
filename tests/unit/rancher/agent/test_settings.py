"""What a stack gives Rancher's agent is in its Deployment, and goes when it is given no more."""

from typing import Any

import pytest

from components.rancher.agent.connection import patch_for
from components.rancher.agent.settings import AgentSettings, settings_of, with_settings
from tests.unit.rancher.agent.test_connection import a_deployment, rancher_s

PROXY = AgentSettings(environment={"HTTPS_PROXY": "http://proxy", "NO_PROXY": ".svc"})
HOSTS = AgentSettings(host_aliases={"192.0.2.10": ["rancher.example.com"]})
BOTH = AgentSettings(environment=PROXY.environment, host_aliases=HOSTS.host_aliases)


def _pod(patch: dict[str, Any] | None) -> dict[str, Any]:
    assert patch is not None
    return patch["spec"]["template"]["spec"]


def _patch(
    live: dict[str, Any], settings: AgentSettings, before: AgentSettings
) -> dict[str, Any] | None:
    manifest = a_deployment()
    wanted = with_settings(manifest, settings)
    return patch_for(live, wanted, with_settings(manifest, before), settings, before)


def test_a_deployment_that_has_them_already_is_the_same_again() -> None:
    once = with_settings(a_deployment(), BOTH)
    assert with_settings(once, BOTH) == once
    assert with_settings(a_deployment(), AgentSettings()) == a_deployment()


def test_the_order_in_which_they_are_given_changes_nothing() -> None:
    turned = AgentSettings(environment=dict(reversed(list(PROXY.environment.items()))))
    assert with_settings(a_deployment(), turned) == with_settings(a_deployment(), PROXY)


def test_only_what_is_wanted_counts() -> None:
    live = with_settings(rancher_s(), BOTH)
    assert settings_of(live, AgentSettings()) == {}
    assert settings_of(live, HOSTS) == {"host_aliases": {"192.0.2.10": ["rancher.example.com"]}}
    assert settings_of(rancher_s(), BOTH) == {"environment": {}, "host_aliases": {}}


def test_an_agent_that_rancher_applied_gets_them_and_nothing_else() -> None:
    pod = _pod(_patch(rancher_s(), BOTH, AgentSettings()))
    assert set(pod) == {"containers", "hostAliases"}
    (container,) = pod["containers"]
    assert container["env"] == [
        {"name": "HTTPS_PROXY", "value": "http://proxy"},
        {"name": "NO_PROXY", "value": ".svc"},
    ]
    assert pod["hostAliases"] == [{"ip": "192.0.2.10", "hostnames": ["rancher.example.com"]}]


def test_an_agent_that_has_them_is_left_alone() -> None:
    assert _patch(with_settings(rancher_s(), BOTH), BOTH, BOTH) is None


@pytest.mark.parametrize(
    "other",
    [
        AgentSettings(environment={"HTTPS_PROXY": "http://by-hand"}),
        AgentSettings(host_aliases={"192.0.2.10": ["by-hand.example.com"]}),
    ],
)
def test_a_change_by_hand_is_put_right(other: AgentSettings) -> None:
    live = with_settings(with_settings(rancher_s(), BOTH), other)
    assert _patch(live, BOTH, BOTH) is not None


def test_a_reference_by_hand_gives_way_to_the_value() -> None:
    live = with_settings(rancher_s(), BOTH)
    variable = live["spec"]["template"]["spec"]["containers"][0]["env"][-1]
    del variable["value"]
    variable["valueFrom"] = {"fieldRef": {"fieldPath": "metadata.name"}}
    (container,) = _pod(_patch(live, BOTH, BOTH))["containers"]
    assert container["env"][-1] == {"name": "NO_PROXY", "value": ".svc", "valueFrom": None}


@pytest.mark.parametrize("live", [a_deployment(), rancher_s()], ids=["manifest", "rancher"])
def test_what_is_given_no_more_is_taken_away_once(live: dict[str, Any]) -> None:
    pod = _pod(_patch(with_settings(live, BOTH), HOSTS, BOTH))
    gone = [each for each in pod["containers"][0]["env"] if "$patch" in each]
    assert [each["name"] for each in gone] == ["HTTPS_PROXY", "NO_PROXY"]
    pod = _pod(_patch(with_settings(live, BOTH), PROXY, BOTH))
    assert pod["hostAliases"] == [{"ip": "192.0.2.10", "$patch": "delete"}]
    if live == rancher_s():
        assert _patch(live, AgentSettings(), BOTH) is None


def test_what_comes_with_the_manifest_is_not_taken_away() -> None:
    manifest = with_settings(a_deployment(), PROXY)
    live = with_settings(rancher_s(), PROXY)
    assert patch_for(live, manifest, manifest, AgentSettings(), PROXY) is None


def test_until_rancher_has_applied_its_own_they_are_in_the_whole_manifest() -> None:
    pod = _pod(_patch(a_deployment(), BOTH, AgentSettings()))
    wanted = with_settings(a_deployment(), BOTH)["spec"]["template"]["spec"]
    assert pod == wanted
