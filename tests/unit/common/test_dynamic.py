"""Every dynamic provider and every input: a change of it shows, or there is a reason why not."""

import json
from collections.abc import Iterator
from functools import cache

import pytest

from components.common.dynamic import FINDING, DynamicProvider, Properties
from components.rancher.agent.connection import connection_of
from components.rancher.registration import active
from tests.unit.doubles.a_stack import valid, with_secrets
from tools import states
from tools.offline.answers import AnsweringMocks
from tools.offline.recording import run_program
from tools.offline.stack_file import NAMESPACE, StackConfig, read_stack_config, stack_path
from tools.plan.plan import without_key_file

_PROVIDERS = states.providers()
_BY_REFERENCE = {
    reference: _PROVIDERS[name] for name, reference in states.current()["providers"].items()
}
_REFERENCE = "__provider"


def _configurations() -> Iterator[StackConfig]:
    """The shipped stacks, and one with what none of them asks for."""
    for stack in states.STACKS:
        yield without_key_file(read_stack_config(stack_path(stack)))
    production = without_key_file(read_stack_config(stack_path("production")))
    production_nodes = json.loads(production.values[f"{NAMESPACE}:nodes"])
    asked = {
        "controlPlane": json.dumps({"scheduling": "untaint"}),
        "stages": json.dumps({"rancherImport": True}),
        "nodes": json.dumps([{**each, "tags": ["fast"]} for each in production_nodes[:3]]),
        "rancherManifestUrl": "https://rancher.example.com/v3/import/token_c-abcde.yaml",
        "longhornEncryptionKey": "words",
    }
    yield StackConfig(
        {**production.values, **{f"{NAMESPACE}:{key}": value for key, value in asked.items()}},
        production.secret_keys
        | {f"{NAMESPACE}:{key}" for key in ("rancherManifestUrl", "longhornEncryptionKey")},
    )
    there = {"url": "https://rancher.example.com", "agentEnvironment": {"TZ": "UTC"}}
    yield with_secrets(
        valid(
            rancher=None,
            stages={"rancher": False, "rancherImport": True},
            rancherImport=there,
        ),
        rancherToken="token-abcde:secret",
    )


@cache
def _declared() -> dict[type[DynamicProvider], Properties]:
    """The inputs of one resource of each provider, as stacks declare them."""
    found: dict[type[DynamicProvider], Properties] = {}
    for config in _configurations():
        mocks = AnsweringMocks()
        for each in run_program(config, stack="any", preview=False, mocks=mocks).resources:
            if _REFERENCE in each.inputs:
                reference = each.inputs[_REFERENCE]
                provider = _BY_REFERENCE[getattr(reference, "value", reference)]
                found.setdefault(provider, dict(each.inputs))
    return found


def _state(provider: type[DynamicProvider]) -> Properties:
    """What a state holds right after the resource was made, and all of it was as it should be."""
    inputs = _declared()[provider]
    computed: Properties = dict.fromkeys(provider.outputs, "computed")
    right = {"state": "active", "missing": []}
    if "deployment" in inputs:
        right["found"] = connection_of(inputs["deployment"])
    computed |= {key: value for key, value in right.items() if key in computed}
    return {**computed, **inputs}


def _changes(provider: type[DynamicProvider], old: Properties, new: Properties) -> bool | None:
    return provider().diff("id", old, new).changes


@pytest.fixture(autouse=True)
def _no_rancher_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(active, "seen_state", lambda state, _patience: state["state"])


@pytest.mark.parametrize("provider", _PROVIDERS.values(), ids=_PROVIDERS)
def test_a_changed_input_is_a_difference_unless_there_is_a_reason(
    provider: type[DynamicProvider],
) -> None:
    inputs = _declared()[provider]
    state = _state(provider)
    assert _changes(provider, state, inputs) is False
    left_out = {_REFERENCE, FINDING, *provider.outputs}
    wrong = [
        f"{key} that is {how}"
        for key in sorted({*inputs, *provider.not_compared} - left_out)
        for how, new in _with_a_change(inputs, key)
        if _changes(provider, state, new) is not (key not in provider.not_compared)
    ]
    assert wrong == []


def _with_a_change(inputs: Properties, key: str) -> Iterator[tuple[str, Properties]]:
    value = inputs.get(key)
    other = {**value, "more": 1} if isinstance(value, dict) else "another value"
    yield "another", {**inputs, key: other}
    if key in inputs:
        yield "gone", {name: value for name, value in inputs.items() if name != key}


@pytest.mark.parametrize("provider", _PROVIDERS.values(), ids=_PROVIDERS)
def test_a_finding_is_a_difference_and_what_a_repair_leaves_of_it_is_none(
    provider: type[DynamicProvider],
) -> None:
    inputs, state = _declared()[provider], _state(provider)
    assert _changes(provider, state, {**inputs, FINDING: "changed"}) is True
    repaired = {**state, FINDING: "changed"}
    assert _changes(provider, repaired, inputs) is False
    assert _changes(provider, repaired, {**inputs, FINDING: "changed"}) is True


@pytest.mark.parametrize("provider", _PROVIDERS.values(), ids=_PROVIDERS)
def test_an_exception_has_a_reason_in_words(provider: type[DynamicProvider]) -> None:
    for key, reason in provider.not_compared.items():
        assert len(reason.split()) > 1, key
    assert not set(provider.not_compared) & set(provider.outputs)


@pytest.mark.parametrize("provider", _PROVIDERS.values(), ids=_PROVIDERS)
def test_an_output_is_no_difference_by_itself(provider: type[DynamicProvider]) -> None:
    assert _changes(provider, _state(provider), _declared()[provider]) is False


def test_every_provider_was_looked_at() -> None:
    assert {*_PROVIDERS.values()} == {*_declared()}
