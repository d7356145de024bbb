"""What a Docker host must have for Rancher, and when it is looked at."""

import ipaddress
from collections.abc import Sequence
from typing import Any

import pytest
from pulumi.output import Unknown

from components.common.script_text import script_text
from components.docker import facts
from components.docker.facts import (
    ContainerFacts,
    DockerFacts,
    HostFacts,
    Listener,
    host_facts,
    read_docker,
    read_host,
)
from components.docker.host import run_on_host
from components.rancher.server import preflight as rancher_preflight
from components.rancher.server.host_rules import GIB, Wanted, host_problems
from components.rancher.server.preflight import RancherPreflightProvider, left_data
from tests.unit.doubles.a_stack import run, valid, waits_for

_KIND = "pulumi-python:dynamic/rancher:Preflight"


def _container(name: str = "rancher", **changes: Any) -> ContainerFacts:
    plain: dict[str, Any] = {
        "name": name,
        "image": "rancher/rancher:v2.8.5",
        "is_running": True,
        "ports": frozenset({(443, ipaddress.ip_address("::"))}),
        "rancher_version": "v2.8.5",
    }
    return ContainerFacts(**plain | changes)


def _engine(*containers: ContainerFacts, **changes: Any) -> DockerFacts:
    plain: dict[str, Any] = {
        "version": "24.0.7",
        "system": "linux",
        "memory_bytes": 8 * GIB,
        "root_folder": "/var/lib/docker",
        "containers": containers,
    }
    return DockerFacts(**plain | changes)


def _host(*listeners: Listener, **changes: Any) -> HostFacts:
    plain: dict[str, Any] = {
        "memory_bytes": 8 * GIB,
        "free_bytes": 100 * GIB,
        "listeners": listeners,
    }
    return HostFacts(**plain | changes)


def _listener(port: int, address: str, process: str = "nginx") -> Listener:
    return Listener(port=port, address=ipaddress.ip_address(address), process=process)


def _problems(
    engine: DockerFacts | None = None,
    host: HostFacts | None = None,
    *,
    listen: str = "0.0.0.0",  # noqa: S104
    own: Sequence[str] = ("rancher",),
) -> list[str]:
    wanted = Wanted(
        own_containers=frozenset(own),
        ports=[("httpPort", 80), ("httpsPort", 443)],
        listen_address=listen,
        minimum_memory_gib=6,
        minimum_disk_gib=10,
    )
    return host_problems(wanted, engine or _engine(), host or _host())


def test_a_host_with_enough_of_everything_is_fine() -> None:
    assert _problems() == []


@pytest.mark.parametrize("memory", [int(5.6 * GIB), 6 * 10**9, 6 * GIB])
def test_a_machine_sold_with_six_gigabytes_has_enough_memory(memory: int) -> None:
    assert _problems(_engine(memory_bytes=memory), _host(memory_bytes=memory)) == []


@pytest.mark.parametrize(
    ("of_engine", "of_host"),
    [(4 * GIB, 4 * GIB), (4 * GIB, 8 * GIB), (4 * GIB, None), (0, 4 * GIB)],
)
def test_too_little_memory_is_told_with_what_there_is(of_engine: int, of_host: int | None) -> None:
    (problem,) = _problems(_engine(memory_bytes=of_engine), _host(memory_bytes=of_host))
    assert "4.0 GiB of memory" in problem
    assert "rancher.minimumMemoryGib" in problem


def test_too_little_space_is_told_with_what_there_is() -> None:
    (problem,) = _problems(host=_host(free_bytes=GIB))
    assert "1.0 GiB are free" in problem
    assert "rancher.minimumDiskGib" in problem


def test_as_much_space_as_is_asked_for_is_enough() -> None:
    assert _problems(host=_host(free_bytes=10 * GIB)) == []


def test_what_the_host_does_not_say_is_no_problem() -> None:
    assert _problems(_engine(memory_bytes=0), _host(memory_bytes=None, free_bytes=None)) == []


def test_space_that_rancher_s_own_data_takes_is_not_missed() -> None:
    assert _problems(_engine(_container()), _host(free_bytes=GIB)) == []


@pytest.mark.parametrize("version", ["19.03.15", "20.09.1", "18.09.1+dfsg1"])
def test_an_engine_older_than_rancher_supports_is_refused(version: str) -> None:
    (problem,) = _problems(_engine(version=version))
    assert version in problem
    assert "20.10" in problem


@pytest.mark.parametrize("version", ["20.10.0", "20.10.24+dfsg1", "28.1.0-rc.1", "dev"])
def test_a_newer_engine_and_a_development_build_are_fine(version: str) -> None:
    assert _problems(_engine(version=version)) == []


def test_an_engine_of_windows_containers_is_refused() -> None:
    (problem,) = _problems(_engine(system="windows"))
    assert "windows containers" in problem


@pytest.mark.parametrize(
    ("listen", "taken", "is_refused"),
    [
        ("0.0.0.0", "0.0.0.0", True),  # noqa: S104
        ("0.0.0.0", "127.0.0.1", True),  # noqa: S104
        ("0.0.0.0", "::", True),  # noqa: S104
        ("0.0.0.0", "::1", False),  # noqa: S104
        ("192.0.2.1", "0.0.0.0", True),  # noqa: S104
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "127.0.0.1", False),
        ("::", "127.0.0.1", True),
        ("::1", "0.0.0.0", False),  # noqa: S104
    ],
)
def test_a_port_is_taken_by_whoever_listens_where_rancher_would(
    listen: str, taken: str, is_refused: bool
) -> None:
    problems = _problems(host=_host(_listener(443, taken)), listen=listen)
    assert len(problems) == is_refused
    assert all("port 443 (rancher.httpsPort)" in each for each in problems)


def test_who_has_the_port_is_named() -> None:
    (problem,) = _problems(host=_host(_listener(80, "127.0.0.1", "apache2")))
    assert "process apache2, listening on 127.0.0.1" in problem
    (problem,) = _problems(host=_host(_listener(80, "127.0.0.1", "")))
    assert "another user's process" in problem


def test_a_port_that_another_container_publishes_is_taken_though_nobody_listens() -> None:
    (problem,) = _problems(_engine(_container("proxy")))
    assert "container proxy" in problem


def test_a_container_that_publishes_on_another_address_is_not_in_the_way() -> None:
    ports = frozenset({(443, ipaddress.ip_address("192.0.2.2"))})
    assert _problems(_engine(_container("proxy", ports=ports)), listen="192.0.2.1") == []


def test_a_container_that_does_not_run_holds_no_port() -> None:
    assert _problems(_engine(_container("proxy", is_running=False))) == []


def test_ports_that_our_own_container_holds_are_free_for_it() -> None:
    host = _host(_listener(443, "0.0.0.0", "docker-proxy"))  # noqa: S104
    assert _problems(_engine(_container()), host) == []
    assert len(_problems(_engine(_container()), host, own=["another"])) == 1


def test_all_problems_are_told_at_once() -> None:
    engine = _engine(version="19.03.1", memory_bytes=GIB)
    assert len(_problems(engine, _host(_listener(80, "::"), free_bytes=GIB))) == 4


def _said(address: str, order: str = "little") -> HostFacts:
    listener = {"port": 443, "address": address, "process": "nginx"}
    return host_facts(
        {"memoryBytes": None, "freeBytes": 5, "byteOrder": order, "listeners": [listener]}
    )


@pytest.mark.parametrize(
    ("digits", "order", "address"),
    [
        ("0100007F", "little", "127.0.0.1"),
        ("7F000001", "big", "127.0.0.1"),
        ("0" * 32, "little", "::"),
        ("00000000000000000000000001000000", "little", "::1"),
        ("0000000000000000FFFF00000100007F", "little", "127.0.0.1"),
    ],
)
def test_the_kernel_s_addresses_are_read(digits: str, order: str, address: str) -> None:
    (listener,) = _said(digits, order).listeners
    assert listener.address == ipaddress.ip_address(address)


def test_an_engine_that_does_not_answer_is_named() -> None:
    with pytest.raises(RuntimeError, match=r"rancher\.dockerHost unix:///no/such\.sock"):
        read_docker("unix:///no/such.sock", None)


def test_the_script_s_own_words_are_told_when_it_fails() -> None:
    with pytest.raises(RuntimeError, match="exit status 3: no such thing"):
        run_on_host("unix:///x", None, "echo 'no such thing' >&2; exit 3", ())


@pytest.mark.parametrize(("printed", "shown"), [("", "nothing"), ("Good-bye!\n", "Good-bye!")])
def test_a_docker_host_that_runs_nothing_is_named_with_what_it_printed(
    printed: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts, "run_on_host", lambda *_: printed)
    with pytest.raises(RuntimeError, match=f"ssh://ops@docker-1: .* printed was: {shown}"):
        read_host("ssh://ops@docker-1", None, (80, 443), "/var/lib/docker")


def test_what_a_docker_host_prints_around_its_answer_is_no_part_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer = '{"memoryBytes": 1, "freeBytes": 2, "listeners": [], "byteOrder": "little"}'
    monkeypatch.setattr(facts, "run_on_host", lambda *_: f"Hello\n{answer}\nSession ended\n")
    assert read_host("ssh://ops@docker-1", None, (80, 443), "/").memory_bytes == 1


def test_the_script_is_there() -> None:
    assert script_text("docker/scripts/docker-host-check.sh").startswith("#!/bin/sh")


_INPUTS: dict[str, Any] = {
    "docker_host": "unix:///var/run/docker.sock",
    "docker_host_key": None,
    "container_name": "rancher",
    "data": "rancher-data",
    "names_data": False,
    "tag": "v2.8.5",
    "http_port": 80,
    "https_port": 443,
    "listen_address": "0.0.0.0",  # noqa: S104
    "minimum_memory_gib": 6,
    "minimum_disk_gib": 10,
}


class _World:
    """A host and an engine in place of the real ones, and what of them was asked."""

    def __init__(self) -> None:
        self.engine: DockerFacts | None = _engine()
        self.folders: list[str] = []

    def read_docker(self, *_: object) -> DockerFacts:
        if self.engine is None:
            raise RuntimeError("the Docker engine does not answer")
        return self.engine

    def read_host(
        self, _host_name: str, _key: str | None, _ports: object, folder: str
    ) -> HostFacts:
        self.folders.append(folder)
        return _host()


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> _World:
    made = _World()
    monkeypatch.setattr(rancher_preflight, "read_docker", made.read_docker)
    monkeypatch.setattr(rancher_preflight, "read_host", made.read_host)
    return made


def test_what_was_found_is_kept(world: _World) -> None:
    outs = RancherPreflightProvider().create(_INPUTS).outs
    assert outs == {**_INPUTS, "found": "Docker 24.0.7, 8.0 GiB of memory, 100.0 GiB free"}
    assert world.folders == ["/var/lib/docker"]


def test_a_folder_of_the_host_is_measured_where_it_is(world: _World) -> None:
    RancherPreflightProvider().create({**_INPUTS, "data": "/opt/rancher"})
    assert world.folders == ["/opt/rancher"]


def test_every_problem_stands_in_one_error_that_names_the_host(world: _World) -> None:
    world.engine = _engine(version="19.03.1", memory_bytes=GIB)
    with pytest.raises(RuntimeError) as raised:
        RancherPreflightProvider().create(_INPUTS)
    assert _INPUTS["docker_host"] in str(raised.value)
    assert str(raised.value).count("\n  - ") == 2


def test_a_container_that_the_state_does_not_know_is_not_taken_back(world: _World) -> None:
    world.engine = _engine(_container(rancher_version="v2.9.3", image="sha256:0"))
    with pytest.raises(RuntimeError, match=r"Rancher v2\.9\.3 can't go back to v2\.8\.5"):
        RancherPreflightProvider().create(_INPUTS)


def test_a_skipped_minor_shows_in_a_preview(world: _World) -> None:
    world.engine = None
    (failure,) = (
        RancherPreflightProvider().check(_INPUTS, {**_INPUTS, "tag": "v2.10.0"}).failures or []
    )
    assert failure.property == "tag"
    assert "v2.9.x" in failure.reason


def test_what_runs_counts_more_than_what_an_up_that_failed_wanted(world: _World) -> None:
    world.engine = _engine(_container(rancher_version="v2.8.5"))
    olds = {**_INPUTS, "tag": "v2.9.3"}
    provider = RancherPreflightProvider()
    assert provider.check(olds, {**_INPUTS, "tag": "v2.8.5"}).failures == []
    assert provider.check(olds, {**_INPUTS, "tag": "v2.10.0"}).failures != []


def test_a_backup_in_a_volume_of_its_own_may_have_its_own_version(world: _World) -> None:
    world.engine = _engine(_container(rancher_version="v2.9.3"))
    olds = {**_INPUTS, "tag": "v2.9.3"}
    news = {**_INPUTS, "data": "restored", "names_data": True}
    provider = RancherPreflightProvider()
    assert provider.check(olds, news).failures == []
    assert provider.update("id", olds, news).outs is not None
    with pytest.raises(RuntimeError, match="can't go back"):
        provider.update("id", olds, _INPUTS)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (
            {},
            {"container_name": "console", "data": "console-data"},
            "rancher.containerName was rancher and is console",
        ),
        (
            {"data": "/srv/rancher", "names_data": True},
            {"data": "rancher-data"},
            "rancher.dataVolume is given no more",
        ),
    ],
)
def test_data_that_a_change_would_leave_behind_unsaid_are_told_with_both_ways_on(
    before: dict[str, Any], after: dict[str, Any], said: str, world: _World
) -> None:
    world.engine = None
    old, new = {**_INPUTS, **before}, {**_INPUTS, **after}
    (failure,) = RancherPreflightProvider().check(old, new).failures or []
    assert said in failure.reason
    for volume in (old["data"], new["data"]):
        assert f"set rancher.dataVolume: {volume}" in failure.reason
        meant = {**new, "data": volume, "names_data": True}
        assert RancherPreflightProvider().check(old, meant).failures == []


def test_on_another_docker_host_no_data_is_left_behind() -> None:
    old = {**_INPUTS, "data": "restored", "names_data": True}
    moved = {**_INPUTS, "docker_host": "ssh://root@192.0.2.99", "data": "rancher-data"}
    assert left_data(old, moved) is None
    assert left_data(old, {**moved, "docker_host": _INPUTS["docker_host"]}) is not None
    assert left_data(old, {**moved, "docker_host": Unknown()}) is None


def test_another_user_on_the_same_docker_host_leaves_its_data_behind() -> None:
    old = {**_INPUTS, "docker_host": "ssh://root@192.0.2.1"}
    renamed = {**_INPUTS, "container_name": "console", "data": "console-data"}
    left = left_data(old, {**renamed, "docker_host": "ssh://operator@192.0.2.1:22"})
    assert left is not None
    assert "rancher.containerName was rancher and is console" in left


def test_an_unchanged_preview_asks_nobody(world: _World) -> None:
    world.engine = None
    provider = RancherPreflightProvider()
    assert provider.check(_INPUTS, _INPUTS).failures == []
    assert provider.check(_INPUTS, {**_INPUTS, "tag": Unknown()}).failures == []
    assert provider.check({}, _INPUTS).failures == []


@pytest.mark.parametrize(
    "key", [key for key in _INPUTS if key not in ("docker_host_key", "names_data")]
)
def test_each_thing_that_is_asked_for_is_looked_at_again_when_it_changes(key: str) -> None:
    provider = RancherPreflightProvider()
    olds = {**_INPUTS, "found": "something"}
    assert provider.diff("id", olds, {**_INPUTS, "found": None}).changes is False
    assert provider.diff("id", olds, {**_INPUTS, key: "other"}).changes is True


def test_a_new_name_takes_over_the_ports_of_the_old_container(world: _World) -> None:
    world.engine = _engine(_container())
    outcome = RancherPreflightProvider().update("id", _INPUTS, {**_INPUTS, "container_name": "new"})
    assert outcome.outs is not None
    world.engine = _engine(_container("somebody-elses"))
    with pytest.raises(RuntimeError, match="container somebody-elses"):
        RancherPreflightProvider().update("id", _INPUTS, {**_INPUTS, "container_name": "new"})


@pytest.mark.parametrize("made", ["rancher-image", "rancher-data", "rancher-container"])
def test_nothing_is_made_on_the_host_before_it_was_looked_at(made: str) -> None:
    recording = run(valid())
    assert [each.name for each in recording.of_type(_KIND)] == ["rancher-preflight"]
    assert waits_for(recording, made, "rancher-preflight")


def test_the_preflight_gets_what_the_stack_file_says() -> None:
    rancher = {
        "url": "https://rancher.example.com",
        "minimumMemoryGib": 4,
        "minimumDiskGib": 20,
        "dataVolume": "/opt/rancher",
        "httpsPort": 8443,
    }
    (preflight,) = run(valid(rancher=rancher)).of_type(_KIND)
    asked = {"minimum_memory_gib": 4, "minimum_disk_gib": 20, "data": "/opt/rancher"}
    assert {**preflight.inputs, **asked, "https_port": 8443, "http_port": 80} == preflight.inputs
