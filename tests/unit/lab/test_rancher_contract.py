"""The stand-in for Rancher answers this program's calls as a real server was seen to answer."""

import json
from pathlib import Path

import pytest

from tests.unit.doubles import rancher_contract
from tests.unit.doubles.a_rancher import BOOTSTRAP, running, url_of
from tests.unit.doubles.rancher_contract import Recorded, Server

_RECORD = json.loads((Path(__file__).parent / "rancher-2.8.5.json").read_text())["answers"]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """What a stand-in answers."""
    with running(tmp_path_factory.mktemp("rancher"), token_delay_seconds=0.2) as stand_in:
        return rancher_contract.ask(Server(url_of(stand_in), stand_in.ca_pem, BOOTSTRAP))


@pytest.mark.parametrize("name", _RECORD)
def test_a_call_is_answered_as_recorded(found: Recorded, name: str) -> None:
    assert rancher_contract.differences(found, {name: _RECORD[name]}) == []


def test_another_answer_than_recorded_is_named(found: Recorded) -> None:
    recorded = {"ping": {"status": 200, "text": "pang"}, "version": {"status": [201, 204]}}
    assert [line.partition(":")[0] for line in rancher_contract.differences(found, recorded)] == [
        "ping",
        "version",
    ]
