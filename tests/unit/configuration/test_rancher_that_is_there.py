"""Rules for importing into a Rancher that is there already."""

from typing import Any

import pytest

from tests.unit.doubles.a_stack import load, mistake, mistakes, valid, with_secrets

_URL = "https://rancher.example.com"
_TOKEN = "token-abcde:" + "secret"


def _there(**changes: Any) -> dict[str, Any]:
    stages = {"rancher": False, "rancherImport": True}
    return valid(rancher=None, stages=stages, rancherImport={"url": _URL, **changes})


def test_an_address_and_a_token_are_all_that_it_takes() -> None:
    loaded = load(with_secrets(_there(), rancherToken=_TOKEN))
    assert loaded.rancher_url == _URL


def test_an_address_without_a_token_is_refused() -> None:
    problem = mistake(_there())
    assert problem.key == "longhorn-rancher:rancherImport.url"
    assert "rancherToken" in problem.rule


def test_a_token_without_an_address_is_refused_and_not_shown() -> None:
    problem = mistake(with_secrets(valid(), rancherToken=_TOKEN))
    assert problem.key == "longhorn-rancher:rancherToken"
    assert _TOKEN not in str(problem)


@pytest.mark.parametrize("url", ["http://rancher.example.com", f"{_URL}/dashboard", "https://"])
def test_an_address_that_is_not_https_and_a_host_is_refused(url: str) -> None:
    found = mistakes(with_secrets(_there(url=url), rancherToken=_TOKEN))
    assert "longhorn-rancher:rancherImport.url" in {problem.key for problem in found}


def test_it_does_not_go_with_a_server_of_the_stack() -> None:
    config = valid(stages={"rancherImport": True}, rancherImport={"url": _URL})
    problem = mistake(with_secrets(config, rancherToken=_TOKEN))
    assert "beside the one that this stack runs" in problem.rule


def test_it_does_not_go_with_an_import_manifest() -> None:
    manifest = f"{_URL}/v3/import/abc_c-x.yaml"
    config = with_secrets(_there(), rancherToken=_TOKEN, rancherManifestUrl=manifest)
    assert "import manifest" in mistake(config).rule


def test_the_agent_of_another_rancher_is_looked_for_by_this_address() -> None:
    own = load(valid(stages={"rancherImport": True}))
    assert own.rancher is not None
    assert own.rancher_url == own.rancher.url
