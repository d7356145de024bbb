"""Another address for a Rancher whose certificate takes the host of server-url alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.common import waiting
from components.rancher.api.client import RancherClient
from components.rancher.api.errors import NotReadyError
from components.rancher.registration.registration import RancherRegistrationProvider
from components.rancher.server import container as rancher_container
from components.rancher.server.address import RancherAddressProvider
from lab.rancher.stand_in.server import StandIn
from tests.unit.doubles.a_clock import a_clock
from tests.unit.doubles.a_rancher import in_container, registration_inputs, running, url_of

pytestmark = pytest.mark.usefixtures("impatient")
ADDRESS = RancherAddressProvider()


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    monkeypatch.setattr(waiting, "SYSTEM_CLOCK", a_clock())
    with running(tmp_path, host="0.0.0.0") as one:  # noqa: S104
        monkeypatch.setattr(rancher_container, "run_in_container", in_container(one, tmp_path))
        yield one


def inputs(stand_in: StandIn, host: str, **changes: Any) -> dict[str, Any]:
    return {
        "docker_host": "unix:///engine.sock",
        "docker_host_key": None,
        "container_name": "rancher",
        "container_id": "abc",
        "url": url_of(stand_in, host),
        "timeout_seconds": 5,
    } | changes


def test_an_address_that_server_url_does_not_say_is_never_reachable(stand_in: StandIn) -> None:
    ADDRESS.create(inputs(stand_in, "127.0.0.2"))
    for host in ("127.0.0.3", "localhost.example"):
        rancher = RancherClient(url_of(stand_in, "127.0.0.3"), stand_in.ca_pem)
        with pytest.raises(NotReadyError, match=r"made out for .*127\.0\.0\.2.* issued by"):
            rancher.wait_until_ready(0.2)
        assert host not in stand_in.certificates.names


@pytest.mark.parametrize("host", ["127.0.0.3", "localhost"])
def test_another_address_is_reached_and_the_old_one_stays_good(
    stand_in: StandIn, host: str
) -> None:
    old, new = url_of(stand_in, "127.0.0.2"), url_of(stand_in, host)
    before = ADDRESS.create(inputs(stand_in, "127.0.0.2")).outs
    assert before is not None
    wanted = registration_inputs(stand_in, url=old, server_url=old)
    outs = RancherRegistrationProvider().create(wanted).outs
    assert outs is not None
    after = inputs(stand_in, host)
    assert ADDRESS.diff("", before, after).changes
    ADDRESS.update("", before, after)
    again = RancherRegistrationProvider().update(
        "storage", outs, wanted | {"url": new, "server_url": new}
    )
    assert again.outs is not None
    assert again.outs["cluster_id"] == outs["cluster_id"]
    assert f'"{new}"' in again.outs["manifest"]
    RancherClient(old, stand_in.ca_pem).wait_until_ready(5.0)


def test_server_url_that_is_right_already_is_left_alone(stand_in: StandIn) -> None:
    wanted = inputs(stand_in, "127.0.0.2")
    ADDRESS.create(wanted)
    assert not ADDRESS.diff("", wanted, wanted | {"docker_host_key": "another"}).changes
    assert ADDRESS.diff("", wanted, wanted | {"container_id": "another"}).changes
    ADDRESS.update("", wanted, wanted)
    assert stand_in.context.server_url() == wanted["url"]


def test_a_container_that_can_not_be_asked_is_named(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> str:
        raise RuntimeError("unix:///engine.sock, container rancher: exit status 1: not running")

    monkeypatch.setattr(rancher_container, "run_in_container", refuse)
    with pytest.raises(TimeoutError, match=r"container rancher.*not running"):
        ADDRESS.create(inputs(stand_in, "127.0.0.2", timeout_seconds=-1))
