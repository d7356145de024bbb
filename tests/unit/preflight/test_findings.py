"""From a stack file to what is wrong on its hosts, and what is told or stops the program."""

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.common.owner import this_stack
from components.nodes.findings import NodeFindings
from components.preflight import cluster_reading
from components.preflight.cluster_facts import ClusterNode
from components.preflight.cluster_reading import ClusterSeen
from components.preflight.findings import read_findings
from components.preflight.longhorn_disks import KnownDisks, Place
from configuration.settings import Settings
from tests.unit.doubles import a_host
from tests.unit.doubles.a_host import HEALTHY, disk_facts, refused, usable
from tests.unit.doubles.a_stack import load, valid, with_secrets
from tests.unit.doubles.a_storage import a_storage
from tests.unit.doubles.an_ssh_server import Server, ssh_server
from tools.bench.healthy_host import SCRIPTS_ARE_THERE

SDB = {"device": "/dev/sdb", "mountPoint": "/mnt/longhorn-sdb"}
# The form that Apache's htpasswd writes; it guards nothing.
PASSWORD = "admin:$apr1$abcdefgh$" + "a" * 22
FOREIGN = refused("/dev/sdb is not blank: it holds xfs")
NEW: dict[str, Any] = {"fstabLine": None, "immutable": None, "uuid": None}


def said(disks: list[dict[str, Any]], verdicts: Sequence[str] = (), **changes: Any) -> bytes:
    """What a host prints on which the stack's scripts lie."""
    return a_host.said(disks, [*verdicts, SCRIPTS_ARE_THERE], **changes)


@pytest.fixture
def server() -> Iterator[Server]:
    with ssh_server(answer=said([disk_facts()], [HEALTHY])) as running:
        yield running


@pytest.fixture
def warned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lines.append)
    return lines


@pytest.fixture
def stack(server: Server) -> Callable[..., Settings]:
    def settings(
        checks: dict[str, Any] | None = None,
        secrets: dict[str, str] | None = None,
        stages: dict[str, bool] | None = None,
        **changes: Any,
    ) -> Settings:
        node = {"name": "node-1", "host": "127.0.0.1", "port": server.port}
        config = valid(
            nodes=[{**node, "hostKey": server.host_key}],
            nodeDefaults={"disks": [SDB]},
            ssh={"user": "root", "connectTimeoutSeconds": 10},
            checks={"readCluster": False, **(checks or {})},
            # No Docker host is asked.
            stages={"rancher": False, **(stages or {})},
            **changes,
        )
        return load(with_secrets(config, sshPrivateKey=server.client_key, **(secrets or {})))

    return settings


def test_a_healthy_host_has_no_findings_and_no_warning(
    stack: Callable[..., Settings], warned: list[str]
) -> None:
    assert read_findings(stack()).nodes == {"node-1": NodeFindings()}
    assert warned == []


def test_a_finding_carries_the_moment_of_the_reading(
    server: Server, stack: Callable[..., Settings]
) -> None:
    server.answer = said([disk_facts()], [usable(mounted=False)])
    line = read_findings(stack()).nodes["node-1"].disks["/mnt/longhorn-sdb"]
    when = r"\([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8} UTC\)"
    assert re.fullmatch(rf"/dev/sdb is not mounted on /mnt/longhorn-sdb {when}", line)


@pytest.mark.parametrize("has_longhorn", [True, False])
def test_one_run_moves_a_disk_only_where_this_stack_has_longhorn_let_it_go(
    server: Server, stack: Callable[..., Settings], has_longhorn: bool
) -> None:
    elsewhere = {"mountedOn": "/mnt/old", "mountedBy": f"{this_stack()} node-1-mnt-old"}
    server.answer = said([disk_facts()], [usable(**elsewhere)])
    moved = {"/mnt/longhorn-sdb": "/mnt/old"} if has_longhorn else {}
    settings = stack({"accept": ["disk"]}, stages={"longhorn": has_longhorn})
    assert read_findings(settings).nodes["node-1"].moved == moved


def test_scripts_that_are_not_there_are_found(
    server: Server, stack: Callable[..., Settings]
) -> None:
    gone = SCRIPTS_ARE_THERE.replace("[]", '["run"]', 1)
    server.answer = a_host.said([disk_facts()], [HEALTHY, gone])
    assert str(read_findings(stack()).nodes["node-1"].scripts).startswith("not there: run (")


def test_a_preview_opens_nothing_where_reading_is_switched_off(
    server: Server,
    stack: Callable[..., Settings],
    warned: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: True)
    assert read_findings(stack({"readHosts": False})).nodes == {}
    assert (
        read_findings(stack(stages={"packages": False, "disks": False, "labels": False})).nodes
        == {}
    )
    assert server.connections == 0
    assert warned == []


def test_disks_are_not_judged_where_their_stage_is_off(
    server: Server, stack: Callable[..., Settings]
) -> None:
    server.answer = said([disk_facts()])
    assert read_findings(stack(stages={"disks": False})).nodes == {"node-1": NodeFindings()}
    assert "check /dev/sdb" not in server.asked[0].stdin


def test_a_path_on_the_root_disk_stops_the_program_also_where_no_stage_works_on_the_hosts(
    server: Server, stack: Callable[..., Settings]
) -> None:
    server.answer = a_host.said([disk_facts(mounted=False, onRoot=True)])
    with pytest.raises(pulumi.RunError, match="nothing is mounted on /mnt/longhorn-sdb"):
        read_findings(stack(stages={"disks": False, "packages": False}))


def test_a_login_shell_that_runs_nothing_stops_the_program(
    server: Server, stack: Callable[..., Settings], warned: list[str]
) -> None:
    server.answer = b""
    with pytest.raises(pulumi.RunError, match="loginShell: node-1: root can log in, but nothing"):
        read_findings(stack())
    assert warned == []


@pytest.mark.parametrize("is_dry_run", [True, False])
def test_a_run_asks_whether_commands_run_at_all_also_where_reading_is_switched_off(
    server: Server,
    stack: Callable[..., Settings],
    monkeypatch: pytest.MonkeyPatch,
    is_dry_run: bool,
) -> None:
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: is_dry_run)
    server.answer = b""
    if is_dry_run:
        assert read_findings(stack({"readHosts": False})).nodes == {}
        assert server.connections == 0
    else:
        with pytest.raises(pulumi.RunError, match="loginShell: node-1"):
            read_findings(stack({"readHosts": False}))


def test_a_run_opens_nothing_where_reading_is_off_and_a_mute_login_shell_is_accepted(
    server: Server, stack: Callable[..., Settings]
) -> None:
    server.answer = b""
    assert read_findings(stack({"readHosts": False, "accept": ["loginShell"]})).nodes == {}
    assert server.connections == 0


def test_a_host_that_is_not_read_is_a_warning_with_its_name_and_has_no_findings(
    server: Server, stack: Callable[..., Settings], warned: list[str]
) -> None:
    server.answer = b"garbage\nand more\n"
    assert read_findings(stack()).nodes == {}
    (line,) = warned
    assert "node-1 could not be read" in line


def test_a_failed_check_stops_the_program_with_a_report_and_no_traceback(
    server: Server, stack: Callable[..., Settings]
) -> None:
    server.answer = said([disk_facts(**NEW)], [FOREIGN])
    with pytest.raises(pulumi.RunError, match="error disk: node-1: /dev/sdb is not blank"):
        read_findings(stack())


def test_an_accepted_check_is_told_and_the_program_goes_on(
    server: Server, stack: Callable[..., Settings], warned: list[str]
) -> None:
    server.answer = said([disk_facts(**NEW)], [FOREIGN])
    findings = read_findings(stack({"accept": ["disk"]})).nodes
    assert "/dev/sdb is not blank: it holds xfs" in findings["node-1"].disks["/mnt/longhorn-sdb"]
    assert "accepted disk: node-1" in "".join(warned)
    assert "error" not in "".join(warned)


@pytest.mark.parametrize(
    ("complaint", "secrets", "found"),
    [
        (b"sudo: a password is required", {}, "sudo wants that of root there"),
        (
            b"sudo: 1 incorrect password attempt",
            {"sudoPassword": "another"},
            "the secret sudoPassword is not the password of root there",
        ),
    ],
    ids=["none", "a wrong one"],
)
def test_a_sudo_that_takes_no_password_of_the_stack_s_stops_the_program_before_more_are_tried(
    server: Server,
    stack: Callable[..., Settings],
    warned: list[str],
    complaint: bytes,
    secrets: dict[str, str],
    found: str,
) -> None:
    server.complaint, server.status = complaint, 1
    with pytest.raises(pulumi.RunError, match=f"sudoPassword: node-1: {found}"):
        read_findings(stack(secrets=secrets))
    assert warned == []
    assert server.connections == 1


@pytest.mark.parametrize("by_stages", [True, False], ids=["stages", "the node's own lines"])
def test_a_sudo_that_asks_stops_nothing_where_no_command_runs_on_that_host(
    server: Server, stack: Callable[..., Settings], warned: list[str], by_stages: bool
) -> None:
    server.complaint, server.status = b"sudo: a password is required", 1
    settings = stack(stages={"packages": False, "disks": False} if by_stages else {})
    if not by_stages:
        node = settings.nodes[0].model_copy(update={"packages": False, "disks": ()})
        settings = settings.model_copy(update={"nodes": (node,)})
    read_findings(settings)
    assert "node node-1 could not be read" in "".join(warned)


def test_no_secret_stands_in_a_warning_or_in_the_findings(
    server: Server, stack: Callable[..., Settings], warned: list[str]
) -> None:
    server.complaint, server.status = b"sudo: a password is required", 1
    findings = read_findings(stack({"accept": ["sudoPassword"]})).nodes
    key_lines = server.client_key.splitlines()[1:-1]
    assert warned
    assert not any(line in f"{warned}{findings}" for line in key_lines)


def test_a_cluster_that_cannot_be_asked_is_a_warning_with_its_name(
    tmp_path: Path, stack: Callable[..., Settings], warned: list[str]
) -> None:
    cluster = {"name": "far-away", "kubeconfig": _kubeconfig_of(tmp_path, "https://127.0.0.1:1")}
    findings = read_findings(stack({"readCluster": True}, cluster=cluster)).nodes
    assert findings == {"node-1": NodeFindings()}
    (line,) = warned
    assert "cluster far-away could not be asked" in line


@pytest.mark.parametrize("reads", [True, False], ids=["no answer", "not asked"])
@pytest.mark.parametrize("is_preview", [True, False], ids=["preview", "up"])
def test_an_up_stops_where_nobody_knows_whether_the_frontends_password_is_asked_for(
    tmp_path: Path,
    stack: Callable[..., Settings],
    monkeypatch: pytest.MonkeyPatch,
    is_preview: bool,
    reads: bool,
) -> None:
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: is_preview)
    cluster = {"name": "far-away", "kubeconfig": _kubeconfig_of(tmp_path, "https://127.0.0.1:1")}
    frontend = {"type": "Ingress", "host": "a.example.com", "tlsSecret": "tls"}
    guarded = {"frontendBasicAuth": PASSWORD}

    def settings(**changes: str) -> Settings:
        return stack(
            {"readCluster": reads}, guarded, cluster=cluster, frontend={**frontend, **changes}
        )

    read_findings(settings(ingressClass="traefik"))
    if is_preview:
        read_findings(settings())
    else:
        with pytest.raises(pulumi.RunError, match="frontendGuard"):
            read_findings(settings())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_a_kubeconfig_as_it_is_on_a_server_comes_with_what_to_change_in_it(
    host: str, tmp_path: Path, stack: Callable[..., Settings], warned: list[str]
) -> None:
    path = _kubeconfig_of(tmp_path, f"https://{host}:1")
    read_findings(stack({"readCluster": True}, cluster={"name": "k3s", "kubeconfig": path}))
    (line,) = warned
    assert f"{path} names https://{host}:1, which is this machine itself" in line


def _kubeconfig_of(folder: Path, server: str) -> str:
    path = folder / "kubeconfig"
    path.write_text(
        f"clusters: [{{name: a, cluster: {{server: '{server}'}}}}]\n"
        "users: [{name: a, user: {token: of-nobody}}]\n"
        "contexts: [{name: a, context: {cluster: a, user: a}}]\ncurrent-context: a\n"
    )
    return str(path)


def test_disks_are_compared_with_what_the_clusters_longhorn_knows(
    server: Server, stack: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = KnownDisks(places={"d-1": [Place(node="b", path="/mnt/b", is_ready=True)]}, replicas={})

    def looked(_settings: Settings, _owner: str) -> ClusterSeen:
        return ClusterSeen(known_disks=known)

    monkeypatch.setattr(cluster_reading, "_looked", looked)
    server.answer = said([disk_facts()], [usable(longhornDisk="d-1")])
    with pytest.raises(pulumi.RunError, match="which is in use on b /mnt/b"):
        read_findings(stack({"readCluster": True}))
    read_findings(stack())


@pytest.mark.parametrize(
    ("disk", "verdict", "is_put_back"),
    [
        ({}, HEALTHY, True),
        # A run mounts it before.
        ({"mounted": False, "onRoot": True}, usable(mounted=False), True),
        # Refused for a command that the packages bring: this run does nothing about it.
        ({"mounted": False, "onRoot": True}, refused("no blkid", missing_command="blkid"), False),
    ],
    ids=["mounted", "to be mounted", "nobody knows"],
)
def test_a_label_that_is_gone_is_put_back_only_where_the_disks_are_mounted_before_it(
    server: Server,
    stack: Callable[..., Settings],
    monkeypatch: pytest.MonkeyPatch,
    disk: dict[str, Any],
    verdict: str,
    is_put_back: bool,
) -> None:
    seen = ClusterSeen(nodes={"node-1": ClusterNode()}, has_longhorn=True)
    monkeypatch.setattr(cluster_reading, "_looked", lambda *_given: seen)
    server.answer = said([disk_facts(**disk)], [verdict])
    found = read_findings(stack({"readCluster": True})).nodes["node-1"]
    assert (found.marks is not None) is is_put_back


def test_no_label_is_put_back_on_a_host_that_was_not_read(
    server: Server, stack: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = ClusterSeen(nodes={"node-1": ClusterNode()}, has_longhorn=True)
    monkeypatch.setattr(cluster_reading, "_looked", lambda *_given: seen)
    server.answer = b"garbage\n"
    assert (
        read_findings(stack({"readCluster": True})).nodes.get("node-1", NodeFindings()).marks
        is None
    )


@pytest.mark.parametrize("is_mounted", [True, False])
def test_where_only_labels_are_the_stack_s_one_is_put_back_on_mounted_disks_alone(
    server: Server,
    stack: Callable[..., Settings],
    monkeypatch: pytest.MonkeyPatch,
    is_mounted: bool,
) -> None:
    taint = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}
    seen = ClusterSeen(nodes={"node-1": ClusterNode(taints=[taint])}, has_longhorn=True)
    monkeypatch.setattr(cluster_reading, "_looked", lambda *_given: seen)
    server.answer = a_host.said([disk_facts(mounted=is_mounted, onRoot=not is_mounted)])
    settings = stack(
        {"readCluster": True, "accept": ["diskOnRoot"]},
        stages={"packages": False, "disks": False, "longhorn": False, "frontend": False},
        controlPlane={"scheduling": "untaint"},
    )
    node = settings.nodes[0].model_copy(update={"control_plane": True})
    found = read_findings(settings.model_copy(update={"nodes": (node,)})).nodes["node-1"]
    assert (found.marks is not None) is is_mounted
    assert found.taints is not None


def test_before_any_longhorn_runs_no_label_is_missing(
    stack: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = ClusterSeen(nodes={"node-1": ClusterNode()})
    monkeypatch.setattr(cluster_reading, "_looked", lambda *_given: seen)
    assert read_findings(stack({"readCluster": True})).nodes["node-1"].marks is None


_HEALTHY = said([disk_facts()], [HEALTHY])


@pytest.mark.parametrize(
    ("answer", "name", "is_found"),
    [
        (_HEALTHY, "node-1", True),
        (said([disk_facts(mounted=False, onRoot=True)], [usable(mounted=False)]), "node-1", True),
        (
            said([disk_facts(onRoot=True)], [refused("no blkid", missing_command="blkid")]),
            "node-1",
            False,
        ),
        (b"garbage\n", "node-1", False),
        (_HEALTHY, "node-2", False),
    ],
    ids=["mounted", "to be mounted", "nobody knows", "not read", "not in Kubernetes"],
)
def test_a_disk_that_longhorn_does_not_have_is_given_to_it_only_where_it_is_mounted_before(
    server: Server,
    stack: Callable[..., Settings],
    monkeypatch: pytest.MonkeyPatch,
    answer: bytes,
    name: str,
    is_found: bool,
) -> None:
    """And where Kubernetes has the node, as it is named here."""
    manned = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    storage = a_storage({"node-2": manned})
    seen = ClusterSeen(nodes={name: ClusterNode()}, storage=storage)
    monkeypatch.setattr(cluster_reading, "_looked", lambda *_given: seen)
    server.answer = answer
    found = read_findings(stack({"readCluster": True}))
    assert ("node-1" in found.longhorn.disks) is is_found


def test_a_cluster_that_never_answers_costs_no_more_than_the_deadline(
    monkeypatch: pytest.MonkeyPatch, stack: Callable[..., Settings], warned: list[str]
) -> None:
    asked: list[str] = []

    class Silent:
        def __init__(self, kubeconfig: str, context: str | None) -> None:  # noqa: ARG002
            asked.append(kubeconfig)
            threading.Event().wait()

    monkeypatch.setattr(cluster_reading, "ClusterApi", Silent)
    monkeypatch.setattr(cluster_reading, "_SECONDS", 0.2)
    read_findings(stack({"readCluster": True}))
    assert asked
    assert "no answer within" in "".join(warned)
