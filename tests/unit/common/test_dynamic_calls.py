"""What the SDK's calls become in a dynamic provider, and what a provider need not say."""

from typing import Any

import pytest
from pulumi.output import Unknown

from components.common.dynamic import DynamicProvider, Properties
from components.rancher.registration.registration import RancherRegistrationProvider
from components.rancher.server.ca import RancherCaProvider


class _Recording(DynamicProvider):
    """Remembers what it was asked to do."""

    outputs = ("computed",)
    not_compared = {"timeout": "it only bounds a wait"}  # noqa: RUF012  as providers declare it
    replaced_by = ("name", "place")

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.found: Properties | None = {"name": "as it is"}

    def make(self, new: Properties) -> tuple[str, Properties]:
        return "made", {**new, "computed": 1}

    def change(self, old: Properties, new: Properties) -> Properties:
        self.asked.append((old, new))
        return {**new, "computed": 2}

    def look(self, state: Properties) -> Properties | None:
        self.asked.append(state)
        return self.found

    def remove(self, state: Properties) -> None:
        self.asked.append(state)


def test_what_is_made_and_changed_is_what_the_state_keeps() -> None:
    provider = _Recording()
    made = provider.create({"name": "a"})
    assert (made.id, made.outs) == ("made", {"name": "a", "computed": 1})
    assert provider.update("made", {"name": "a"}, {"name": "b"}).outs == {
        "name": "b",
        "computed": 2,
    }
    assert provider.asked == [({"name": "a"}, {"name": "b"})]


def test_a_removal_goes_by_the_state() -> None:
    provider = _Recording()
    provider.delete("made", {"name": "a"})
    assert provider.asked == [{"name": "a"}]


def test_a_refresh_tells_what_is_there_and_that_a_thing_is_gone() -> None:
    provider = _Recording()
    there = provider.read("made", {"name": "a"})
    assert (there.id, there.outs) == ("made", {"name": "as it is"})
    provider.found = None
    assert provider.read("made", {"name": "a"}).id is None


def test_a_difference_replaces_only_where_it_makes_another_resource() -> None:
    provider = _Recording()
    old = {"name": "a", "place": "x", "size": 1, "timeout": 1, "computed": 1}
    same = provider.diff("made", old, {**old, "timeout": 2, "computed": None})
    assert (same.changes, same.replaces) == (False, [])
    grown = provider.diff("made", old, {**old, "size": 2})
    assert (grown.changes, grown.replaces) == (True, [])
    moved = provider.diff("made", old, {**old, "place": "y", "name": "b"})
    assert (moved.changes, moved.replaces) == (True, ["name", "place"])
    assert moved.delete_before_replace is False


def test_a_provider_that_says_nothing_refuses_nothing_and_is_as_its_state_says() -> None:
    provider = DynamicProvider()
    checked = provider.check({}, {"name": "a"})
    assert (checked.inputs, checked.failures) == ({"name": "a"}, [])
    assert provider.read("made", {"name": "a"}).outs == {"name": "a"}
    provider.delete("made", {})


def test_a_provider_must_say_how_a_thing_is_made_and_changed() -> None:
    with pytest.raises(NotImplementedError):
        DynamicProvider().create({})
    with pytest.raises(NotImplementedError):
        DynamicProvider().update("made", {}, {})


class _Keeping(_Recording):
    """One of whose inputs says nothing of what it computes."""

    leaves_outputs = ("patience",)


def test_outputs_are_known_in_a_preview_where_nothing_else_changes() -> None:
    old, provider = {"name": "a", "patience": 1, "computed": 2}, _Keeping()
    assert provider.keeps_outputs(old, {"name": "a", "patience": 3, "timeout": 4})
    assert not provider.keeps_outputs(old, {"name": "b", "patience": 3})
    assert not provider.keeps_outputs(old, {"name": Unknown(), "patience": 1})


def test_rancher_s_own_answers_stay_with_another_environment_and_not_with_another_address() -> None:
    token = {"api_token_expires": "2999-01-01T00:00:00Z", "cluster_id": "c-1"}
    old = {"url": "https://a.example.com", "agent_environment": None, **token}
    new = {"url": "https://a.example.com", "agent_environment": {"NO_PROXY": "x"}}
    provider = RancherRegistrationProvider()
    assert provider.keeps_outputs(old, new)
    assert not provider.keeps_outputs(old, {**new, "url": "https://b.example.com"})
    ended = {**old, "api_token_expires": "2001-01-01T00:00:00Z"}
    assert not provider.keeps_outputs(ended, new)


def test_a_ca_stays_where_none_may_take_its_place() -> None:
    old, provider = {"container_id": "1", "accept": "a" * 64, "pem": "x"}, RancherCaProvider()
    assert provider.keeps_outputs(old, {"container_id": "1", "accept": None})
    assert not provider.keeps_outputs(old, {"container_id": "1", "accept": "b" * 64})
    assert not provider.keeps_outputs(old, {"container_id": "2", "accept": None})
