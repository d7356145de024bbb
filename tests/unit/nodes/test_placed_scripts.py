"""The scripts on the hosts, by the providers that put them there and back."""

from collections.abc import Iterator
from typing import Any

import pytest

from components.hosts.host_script import dropping, files, folder_of, putting
from components.nodes.findings import NodeFindings, scripts_finding, scripts_line
from components.nodes.placed_scripts import (
    NodeScriptsForRemovalProvider,
    NodeScriptsProvider,
    gone_hosts,
)
from components.nodes.script_parts import NODE_DISK, ON_HOSTS
from components.nodes.verdicts import ScriptsVerdict
from components.preflight import findings as preflight
from components.preflight.findings import Findings
from tests.unit.doubles.a_stack import nodes, run, valid, with_secrets
from tests.unit.doubles.an_ssh_server import Server, ssh_server
from tools.offline.recording import SecretValue

_FOLDER = folder_of("project/lab")


@pytest.fixture
def server() -> Iterator[Server]:
    with ssh_server(answer=b'{"put":true}\n') as running:
        yield running


def _host(server: Server, name: str = "node-1", **changes: Any) -> dict[str, Any]:
    address = {"host": "127.0.0.1", "port": float(server.port), "user": "root"}
    return {"name": name, **address, "host_key": server.host_key, **changes}


def _props(server: Server, **changes: Any) -> dict[str, Any]:
    given = {
        "folder": _FOLDER,
        "scripts": [each.file for each in ON_HOSTS],
        "hosts": [_host(server)],
        "jump": None,
        "given_up": [],
        "connect_seconds": 5.0,
        "private_key": server.client_key,
        "finding": None,
    }
    return {**given, **changes}


def test_every_host_gets_the_scripts(server: Server) -> None:
    props = _props(server, hosts=[_host(server, "node-1"), _host(server, "node-2")])
    _, state = NodeScriptsProvider().make(props)
    assert state["missing"] == []
    assert len(server.asked) == 2
    assert all(asked.stdin.endswith(putting(_FOLDER, files(ON_HOSTS))) for asked in server.asked)


def test_a_host_that_cannot_be_reached_stops_no_other_and_is_tried_again(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    props = _props(server, hosts=[_host(server), _host(server, "node-2", port=1)])
    _, state = NodeScriptsProvider().make(props)
    assert state["missing"] == ["node-2"]
    assert "node node-2: its scripts could not be put there" in capsys.readouterr().err
    assert NodeScriptsProvider().differences(state, props) == {"missing"}


def test_a_host_on_which_nothing_ran_has_no_scripts(server: Server) -> None:
    server.answer = b""
    assert NodeScriptsProvider().make(_props(server))[1]["missing"] == ["node-1"]


def test_a_finding_is_a_difference_and_its_end_is_none(server: Server) -> None:
    provider, old = NodeScriptsProvider(), {**_props(server), "missing": [], "left": []}
    found = _props(server, finding="node-1: not there: run (today)")
    assert provider.differences(old, found) == {"finding"}
    assert provider.differences({**old, **found}, _props(server)) == set()
    assert provider.differences(old, _props(server, scripts=["other"])) == {"scripts"}


def test_when_the_stack_goes_the_scripts_go_from_every_host_that_ever_had_them(
    server: Server,
) -> None:
    left = [_host(server, "node-2")]
    NodeScriptsProvider().remove({**_props(server), "missing": [], "left": left})
    assert len(server.asked) == 2
    assert all(asked.stdin.endswith(dropping(_FOLDER)) for asked in server.asked)


def test_a_node_that_got_a_new_address_loses_its_scripts_at_both(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    former = [_host(server, port=1.0), _host(server, port=2.0)]
    NodeScriptsProvider().remove({**_props(server), "missing": [], "left": former})
    assert len(server.asked) == 1
    told = capsys.readouterr().err
    for port in (1, 2):
        assert f"node node-1 at 127.0.0.1:{port}: its scripts stay there" in told
    assert "node node-1: " not in told


def test_a_host_that_leaves_is_remembered_unless_it_is_given_up_or_the_same_by_another_name(
    server: Server,
) -> None:
    hosts = [_host(server, f"node-{n}", port=float(n)) for n in (1, 2, 3)]
    renamed = _host(server, "node-three", port=3.0)
    old = {**_props(server, hosts=hosts), "left": [_host(server, "node-0", port=9.0)]}
    new = _props(server, hosts=[renamed], given_up=["node-2"])
    assert [host["name"] for host in gone_hosts(old, new)] == ["node-1", "node-0"]


def test_before_anything_is_undone_every_host_gets_what_the_state_names(server: Server) -> None:
    former = f"{NODE_DISK.name}-{'0' * 16}"
    provider = NodeScriptsForRemovalProvider()
    provider.make(_props(server))
    assert server.asked == []
    provider.remove(_props(server, scripts=[former]))
    (asked,) = server.asked
    assert f"file {former} {NODE_DISK.digest} <<" in asked.stdin


def test_what_leaves_in_a_run_is_undone_with_the_scripts_of_the_last_and_a_lost_host_is_left(
    server: Server,
) -> None:
    old = _props(server, hosts=[_host(server), _host(server, "node-2", port=1)])
    new = _props(server, hosts=[], given_up=["node-2"])
    NodeScriptsForRemovalProvider().change(old, new)
    assert len(server.asked) == 1


def test_hosts_that_stay_are_opened_by_what_opens_them_now(server: Server) -> None:
    new = _props(server)
    old = {**new, "private_key": None, "password": "revoked-words"}
    NodeScriptsForRemovalProvider().change(old, new)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("verdict", "found"),
    [
        ({}, None),
        ({"missing": ["run", "checked"]}, "not there: run, checked"),
        ({"changed": ["run"], "open": True}, "changed: run; others than root may write there"),
    ],
)
def test_what_is_wrong_with_the_scripts_is_one_line(
    verdict: dict[str, Any], found: str | None
) -> None:
    said = ScriptsVerdict.model_validate({"missing": [], "changed": [], "open": False, **verdict})
    assert scripts_finding(said) == found


def test_one_line_names_the_first_of_many_hosts() -> None:
    findings = {f"node-{n}": NodeFindings(scripts="changed: run") for n in range(1, 1001)}
    line = scripts_line({"node-0": NodeFindings(), **findings})
    assert line == (
        "node-1: changed: run; node-2: changed: run; node-3: changed: run; and 997 more"
    )
    assert scripts_line({"node-0": NodeFindings()}) is None


def test_scripts_that_are_not_there_show_as_a_change_of_their_resource(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = {"node-1": NodeFindings(scripts="not there: run")}
    monkeypatch.setattr(preflight, "read_findings", lambda _settings: Findings(nodes=found))
    recording = run(valid(cluster={"name": "cleared", "kubeconfig": "~/.kube/config"}))
    assert recording.named("node-scripts").inputs["finding"] == "node-1: not there: run"


def test_only_hosts_on_which_scripts_run_are_opened() -> None:
    stages = {"packages": False, "disks": False, "controlPlaneHealth": True}
    recording = run(valid(nodes=nodes({"controlPlane": True}, {}), stages=stages))
    hosts = recording.named("node-scripts").inputs["hosts"]
    assert [host["name"] for host in hosts] == ["node-1"]
    off = dict.fromkeys(("packages", "disks"), False)
    names = {each.name for each in run(valid(stages=off)).resources}
    assert not names & {"node-scripts", "node-scripts-for-removal"}


def test_what_opens_the_hosts_is_secret() -> None:
    secrets = {"sshPassword": "tr0ub4dor", "sudoPassword": "correct-horse"}
    recording = run(with_secrets(valid(ssh={"useAgent": True, "user": "ops"}), **secrets))
    for name in ("node-scripts", "node-scripts-for-removal"):
        inputs = recording.named(name).inputs
        assert isinstance(inputs["password"], SecretValue), name
        assert isinstance(inputs["sudo_password"], SecretValue), name


def test_what_opens_the_hosts_stays_secret_in_the_state() -> None:
    recording = run(valid())
    for name in ("node-scripts", "node-scripts-for-removal"):
        assert "password" in recording.named(name).request.additionalSecretOutputs, name


def test_the_state_names_each_script_with_its_digest() -> None:
    for name in ("node-scripts", "node-scripts-for-removal"):
        named = run(valid()).named(name).inputs["scripts"]
        assert named == [f"{each.name}-{each.digest}" for each in ON_HOSTS], name
