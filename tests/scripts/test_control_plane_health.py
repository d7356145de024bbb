"""The argument --port=0 goes and comes back, and nothing else in the manifests ever changes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.scripts.a_kubelet import ILL, MANIFESTS, PORTS, SEEN, kubelet
from tests.scripts.control_plane import (
    AFTER,
    BEFORE,
    LINE,
    RECORDS,
    become_control_plane,
    health_script,
    manifest,
    manifests,
    path_of,
    port_answers,
    without_the_line,
)
from tests.scripts.package_managers import TOOLS, add_tool, calls
from tests.scripts.remote import Outcome, outcome, script_text
from tests.scripts.sandbox import Sandbox

pytestmark = pytest.mark.disks

HEALTHY = {"kube-controller-manager": "ok", "kube-scheduler": "ok"}
RESTART = "systemctl restart kubelet"


@pytest.fixture
def node(host: Sandbox) -> Iterator[Sandbox]:
    """A control-plane node with a kubelet at work."""
    become_control_plane(host)
    with kubelet(host):
        yield host


def restarts(host: Sandbox) -> int:
    return len(calls(host, RESTART))


# ---- taking it out --------------------------------------------------------------------------


@pytest.mark.parametrize("shell", ["dash", "bash --posix", "busybox sh"])
def test_the_line_goes_and_both_components_answer(node: Sandbox, shell: str) -> None:
    if node.call("sh", "-c", f"command -v {shell.split()[0]}").returncode != 0:
        pytest.skip(f"needs the command {shell.split()[0]}")
    result = health_script(node, "ensure", shell).result
    assert result == {"kubernetes": "1.21.14", "health": HEALTHY}
    assert manifests(node) == AFTER
    assert all(port_answers(node, name) for name in PORTS)


def test_whoever_looks_is_told_that_the_ports_have_no_login(node: Sandbox) -> None:
    said = health_script(node, "ensure").stderr
    assert "10251 and 10252 without a login" in said


def test_a_second_run_changes_nothing_and_restarts_nothing(node: Sandbox) -> None:
    first = health_script(node, "ensure").result
    stamp = f"stat -c '%n %i %y' {MANIFESTS}/* {RECORDS}/*"
    before, count = node.shell(stamp), restarts(node)
    assert health_script(node, "ensure").result == first
    assert node.shell(stamp) == before
    assert restarts(node) == count == 1


def test_a_check_tells_which_manifests_have_the_line_and_changes_nothing(node: Sandbox) -> None:
    listed = f"ls -A {MANIFESTS} /run /var/lib"
    stamp = f"{listed}; stat -c '%n %i %z' {MANIFESTS}/*"
    before = node.shell(stamp)
    both = ["kube-controller-manager", "kube-scheduler"]
    assert health_script(node, "check").result == {"kubernetes": "1.21.14", "closed": both}
    assert node.shell(stamp) == before
    assert restarts(node) == 0
    health_script(node, "ensure")
    assert health_script(node, "check").result["closed"] == []
    node.write_text(path_of("kube-scheduler"), BEFORE["kube-scheduler"])
    assert health_script(node, "check").result["closed"] == ["kube-scheduler"]


def test_a_check_refuses_in_the_words_of_ensure(node: Sandbox) -> None:
    newer = manifest("kube-scheduler", "k8s.gcr.io/{name}:v1.22.0")
    node.write_text(path_of("kube-scheduler"), newer)
    found = health_script(node, "check").found
    refusal = health_script(node, "ensure").refusal
    assert refusal == f"node-1: {found['found']}. Nothing was changed. {found['remedy']}"
    assert "is version 1.22.0" in refusal


def test_the_files_keep_owner_and_mode(node: Sandbox) -> None:
    node.shell(f"chown 12:34 {path_of('kube-scheduler')}; chmod 640 {path_of('kube-scheduler')}")
    health_script(node, "ensure")
    shown = node.shell(f"stat -c '%u:%g %a' {MANIFESTS}/*.yaml").splitlines()
    assert shown == ["0:0 600", "12:34 640"]


def test_the_copies_are_where_the_kubelet_never_looks(node: Sandbox) -> None:
    health_script(node, "ensure")
    kept = {name: node.read_text(f"{RECORDS}/{name}.yaml.original") for name in PORTS}
    assert kept == BEFORE
    health_script(node, "remove")
    names = {f"{name}.yaml" for name in PORTS}
    assert set(node.read_text(SEEN).splitlines()) == names
    assert set(node.shell(f"ls -A {MANIFESTS}").splitlines()) == names
    assert node.shell("ls -A /etc/kubernetes") == "manifests\n"


def test_a_manifest_is_replaced_and_never_written_into(node: Sandbox) -> None:
    path = path_of("kube-scheduler")
    node.shell(f"ln {path} /root/before")
    health_script(node, "ensure")
    assert node.read_text("/root/before") == BEFORE["kube-scheduler"]
    node.shell(f"ln {path} /root/after")
    health_script(node, "remove")
    assert node.read_text("/root/after") == AFTER["kube-scheduler"]


def test_another_indentation_is_kept(node: Sandbox) -> None:
    odd = BEFORE["kube-scheduler"].replace("    - ", "          - ").replace("    #", "          #")
    node.write_text(path_of("kube-scheduler"), odd)
    health_script(node, "ensure")
    after = node.read_text(path_of("kube-scheduler"))
    assert after == odd.replace("          - --port=0\n", "", 1)
    assert health_script(node, "remove").result
    assert node.read_text(path_of("kube-scheduler")) == odd


@pytest.mark.parametrize("argument", ["--port=00", "--port=01", "--secure-port=0", "--port=10251"])
def test_another_argument_stays(node: Sandbox, argument: str) -> None:
    other = BEFORE["kube-scheduler"].replace(LINE, f"    - {argument}\n")
    node.write_text(path_of("kube-scheduler"), other)
    health_script(node, "ensure")
    assert manifests(node) == {**AFTER, "kube-scheduler": other}


def test_a_manifest_without_the_line_is_left_alone(node: Sandbox) -> None:
    node.write_text(path_of("kube-scheduler"), AFTER["kube-scheduler"])
    assert health_script(node, "ensure").result["health"] == HEALTHY
    assert manifests(node) == AFTER
    assert health_script(node, "remove").result == {"removed": True}
    assert manifests(node) == {**BEFORE, "kube-scheduler": AFTER["kube-scheduler"]}


def test_a_kubelet_that_systemd_does_not_run_is_not_restarted(node: Sandbox) -> None:
    node.shell("rm /run/active/kubelet")
    assert health_script(node, "ensure").result["health"] == HEALTHY
    assert restarts(node) == 0


def test_a_failed_restart_is_told_and_the_kubelet_sees_the_change_by_itself(node: Sandbox) -> None:
    add_tool(node, "systemctl", "case $1 in restart) echo broken >&2; exit 1 ;; esac\n")
    done = health_script(node, "ensure")
    assert done.result["health"] == HEALTHY
    assert "warning: systemctl restart kubelet failed" in done.stderr


def test_without_curl_wget_asks(node: Sandbox) -> None:
    if node.call("sh", "-c", "command -v wget").returncode != 0:
        pytest.skip("needs the command wget")
    hide(node, "curl")
    assert health_script(node, "ensure").result["health"] == HEALTHY


def test_without_curl_and_wget_an_open_port_has_to_do(node: Sandbox) -> None:
    hide(node, "curl", "wget")
    assert set(health_script(node, "ensure").result["health"].values()) == {"listening"}


def hide(host: Sandbox, *names: str) -> None:
    """Takes programs away: /usr/bin becomes a folder of links to all others."""
    gone = " ".join(names)
    host.shell(
        f"""
        mkdir /opt/bin
        ln -s /usr/bin/* /opt/bin
        cd /opt/bin; rm -f {gone}
        mkdir -p /opt/real; mount --bind /usr/bin /opt/real
        for name in *; do ln -sfn "/opt/real/$name" "$name"; done
        mount --bind /opt/bin /usr/bin
        """
    )


# ---- refusals -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "image",
    [
        "k8s.gcr.io/{name}:v1.22.0",
        "registry.example.com:5000/mirror/{name}:v1.28.4",
        "registry.k8s.io/{name}:v2.0.1",
        "registry.k8s.io/{name}-amd64:v1.30.1-eks-1",
        '"registry.k8s.io/{name}:v1.31.0@sha256:' + "0" * 64 + '"',
    ],
)
def test_from_1_22_on_it_is_refused(host: Sandbox, image: str) -> None:
    become_control_plane(host)
    newer = manifest("kube-scheduler", image)
    host.write_text(path_of("kube-scheduler"), newer)
    refusal = health_script(host, "ensure").refusal
    assert refusal.startswith("node-1: kube-scheduler is version ")
    assert "1.22" in refusal
    assert "controlPlaneHealth off" in refusal
    untouched(host, **{"kube-scheduler": newer})


def untouched(host: Sandbox, **other: str) -> None:
    assert manifests(host) == {**BEFORE, **other}
    assert host.call("test", "-e", RECORDS).returncode != 0
    assert restarts(host) == 0


@pytest.mark.parametrize("image", ["{name}", "k8s.gcr.io/{name}:latest", "other:v1.21.1"])
def test_an_unknown_version_is_refused(host: Sandbox, image: str) -> None:
    become_control_plane(host)
    unknown = manifest("kube-scheduler", image)
    host.write_text(path_of("kube-scheduler"), unknown)
    assert "has no image of kube-scheduler with a version" in health_script(host, "ensure").refusal
    untouched(host, **{"kube-scheduler": unknown})


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("registry.example.com:5000/{name}:v1.21.2", "1.21.2"),
        ("'k8s.gcr.io/{name}-amd64:v1.9.11'", "1.9.11"),
        ("k8s.gcr.io/{name}:v1.21.5-rc.0@sha256:" + "1" * 64, "1.21.5"),
    ],
)
def test_an_older_version_is_read_from_any_registry(
    node: Sandbox, image: str, version: str
) -> None:
    node.write_text(path_of("kube-scheduler"), manifest("kube-scheduler", image))
    assert health_script(node, "ensure").result["kubernetes"] == version


def test_a_node_without_the_manifests_is_refused(host: Sandbox) -> None:
    become_control_plane(host)
    host.shell("rm -r /etc/kubernetes")
    refusal = health_script(host, "ensure").refusal
    assert "kube-controller-manager.yaml is not there" in refusal
    assert "controlPlane: false" in refusal


def test_one_missing_manifest_is_refused_before_the_other_is_touched(host: Sandbox) -> None:
    become_control_plane(host)
    host.shell(f"rm {path_of('kube-scheduler')}")
    assert "kube-scheduler.yaml is not there" in health_script(host, "ensure").refusal
    assert host.read_text(path_of("kube-controller-manager")) == BEFORE["kube-controller-manager"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (LINE, LINE * 2, "more than once (lines "),
        (LINE, LINE[2:], "does not follow another argument"),
        (
            "  - command:\n    - kube-scheduler\n",
            "  - command:\n    - --port=0\n",
            "more than once",
        ),
        (LINE, f"    key: |\n{LINE}", "does not follow another argument"),
    ],
)
def test_a_line_in_an_odd_place_is_refused(host: Sandbox, old: str, new: str, said: str) -> None:
    become_control_plane(host)
    odd = BEFORE["kube-scheduler"].replace(old, new)
    host.write_text(path_of("kube-scheduler"), odd)
    assert said in health_script(host, "ensure").refusal
    untouched(host, **{"kube-scheduler": odd})


def test_a_manifest_that_is_a_link_is_refused(host: Sandbox) -> None:
    become_control_plane(host)
    host.shell(f"mv {path_of('kube-scheduler')} /root/a; ln -s /root/a {path_of('kube-scheduler')}")
    assert "is not a regular file" in health_script(host, "ensure").refusal


def test_a_manifests_folder_that_is_a_mount_is_refused(host: Sandbox) -> None:
    become_control_plane(host)
    host.shell(f"mkdir /opt/m; cp {MANIFESTS}/* /opt/m; mount --bind /opt/m {MANIFESTS}")
    assert "is a mount of its own" in health_script(host, "ensure").refusal
    untouched(host)


@pytest.mark.parametrize("arguments", ["", "install"])
def test_an_unknown_action_is_refused(host: Sandbox, arguments: str) -> None:
    assert (
        "usage: control-plane-health.sh ensure | remove" in health_script(host, arguments).refusal
    )


# ---- a component that does not answer -------------------------------------------------------


@pytest.mark.parametrize("name", PORTS)
def test_when_a_component_does_not_answer_both_files_are_put_back(node: Sandbox, name: str) -> None:
    node.shell(f": >{ILL}-{name}; : >/run/time-passes")
    refusal = health_script(node, "ensure").refusal
    assert f"{name} did not answer on 127.0.0.1:{PORTS[name]}" in refusal
    assert "The manifests are as they were" in refusal
    assert manifests(node) == BEFORE
    assert node.call("test", "-e", RECORDS).returncode != 0
    assert restarts(node) == 2
    node.shell(f"rm {ILL}-{name} /run/time-passes")
    assert health_script(node, "ensure").result["health"] == HEALTHY


def test_a_component_that_falls_ill_later_is_told_and_nothing_is_changed(node: Sandbox) -> None:
    health_script(node, "ensure")
    node.shell(f": >{ILL}-kube-scheduler; : >/run/time-passes")
    assert "Nothing was changed" in health_script(node, "ensure").refusal
    assert manifests(node) == AFTER
    assert restarts(node) == 1


# ---- putting it back ------------------------------------------------------------------------


def test_remove_puts_every_byte_back_and_the_ports_close(node: Sandbox) -> None:
    health_script(node, "ensure")
    assert health_script(node, "remove").result == {"removed": True}
    assert manifests(node) == BEFORE
    assert not any(port_answers(node, name) for name in PORTS)
    assert node.call("test", "-e", RECORDS).returncode != 0
    assert restarts(node) == 2


def test_a_second_remove_does_nothing(node: Sandbox) -> None:
    health_script(node, "ensure")
    health_script(node, "remove")
    assert health_script(node, "remove").result == {"removed": True}
    assert restarts(node) == 2


def test_remove_does_nothing_where_nothing_was_done(host: Sandbox) -> None:
    assert health_script(host, "remove").result == {"removed": True}
    become_control_plane(host)
    assert health_script(host, "remove").result == {"removed": True}
    untouched(host)


def test_in_a_manifest_that_was_changed_since_only_the_line_comes_back(node: Sandbox) -> None:
    health_script(node, "ensure")
    changed = AFTER["kube-scheduler"].replace("leader-elect=true", "leader-elect=false")
    changed = changed.replace("v1.21.13", "v1.21.14") + "# by hand\n"
    node.write_text(path_of("kube-scheduler"), changed)
    assert health_script(node, "remove").result
    back = node.read_text(path_of("kube-scheduler"))
    assert back.count(LINE) == 1
    assert without_the_line(back) == changed
    assert back.splitlines()[back.splitlines().index("    - --port=0") - 1].startswith("    - ")


def test_a_line_that_somebody_put_back_already_is_not_put_in_again(node: Sandbox) -> None:
    health_script(node, "ensure")
    written = BEFORE["kube-scheduler"] + "# by hand\n"
    node.write_text(path_of("kube-scheduler"), written)
    health_script(node, "remove")
    assert node.read_text(path_of("kube-scheduler")) == written


def test_after_an_upgrade_to_1_22_the_line_does_not_come_back(node: Sandbox) -> None:
    health_script(node, "ensure")
    upgraded = AFTER["kube-scheduler"].replace("v1.21.14", "v1.24.1")
    node.write_text(path_of("kube-scheduler"), upgraded)
    done = health_script(node, "remove")
    assert done.result == {"removed": True}
    assert "--port=0 is not put back" in done.stderr
    assert manifests(node) == {**BEFORE, "kube-scheduler": upgraded}


def test_a_place_that_is_gone_is_told_and_the_copy_stays(node: Sandbox) -> None:
    health_script(node, "ensure")
    other = "image: k8s.gcr.io/kube-scheduler:v1.21.14\n"
    node.write_text(path_of("kube-scheduler"), other)
    assert 'the place of "- --port=0" is not there' in health_script(node, "remove").refusal
    assert node.read_text(path_of("kube-scheduler")) == other
    assert node.read_text(f"{RECORDS}/kube-scheduler.yaml.original") == BEFORE["kube-scheduler"]


def test_a_node_that_is_no_control_plane_any_more_is_no_hindrance(node: Sandbox) -> None:
    health_script(node, "ensure")
    node.shell(f"rm {MANIFESTS}/*")
    assert health_script(node, "remove").result == {"removed": True}


# ---- killed at any command ------------------------------------------------------------------

SCRIPT = "/opt/test/control-plane-health.sh"
# All that the script does between two of these is look, so a kill before each of them leaves every
# state that a kill anywhere could leave. Bash runs the DEBUG trap before every simple command.
CHANGING = "mkdir|rmdir|rm|cp|mv|cat|sed|:|systemctl"
KILL = f"""
set -T
main=$$ reached=0
trap 'case ${{BASH_COMMAND%%[[:space:]]*}} in {CHANGING}) reached=$((reached + 1)); \
[ "$reached" != "$STEP" ] || kill -9 $main ;; esac' DEBUG
. {SCRIPT}
"""
KILLED = -9


def killed_before(host: Sandbox, step: int, action: str) -> Outcome:
    """How a run ends that is killed before its command number `step` that changes something."""
    environment = ("env", f"PATH={TOOLS}:/usr/sbin:/usr/bin:/sbin:/bin", f"STEP={step}")
    return outcome(host.call(*environment, "bash", "-c", KILL, "sh", action))


def state(host: Sandbox) -> str:
    return host.shell(f"cat {MANIFESTS}/*; ls -A {MANIFESTS} /etc/kubernetes {RECORDS} || :")


@pytest.fixture
def stepped(node: Sandbox) -> Sandbox:
    if node.call("bash", "-c", "true").returncode != 0:
        pytest.skip("needs the command bash")
    node.write_text(SCRIPT, script_text("control-plane-health.sh"))
    return node


def each_file_is_whole(host: Sandbox) -> bool:
    return all(text in (BEFORE[name], AFTER[name]) for name, text in manifests(host).items())


def test_killed_before_any_change_of_ensure_the_next_run_completes_it(stepped: Sandbox) -> None:
    before = state(stepped)
    step = 1
    while killed_before(stepped, step, "ensure").status == KILLED:
        assert each_file_is_whole(stepped), step
        assert health_script(stepped, "ensure").result["health"] == HEALTHY, step
        assert manifests(stepped) == AFTER, step
        assert health_script(stepped, "remove").result, step
        assert state(stepped) == before, step
        step += 1
    assert step > 20
    assert manifests(stepped) == AFTER


def test_killed_before_any_change_of_remove_the_next_run_completes_it(stepped: Sandbox) -> None:
    before = state(stepped)
    health_script(stepped, "ensure")
    step = 1
    while killed_before(stepped, step, "remove").status == KILLED:
        assert each_file_is_whole(stepped), step
        assert health_script(stepped, "remove").result, step
        assert state(stepped) == before, step
        health_script(stepped, "ensure")
        step += 1
    assert step > 20
    assert state(stepped) == before


def test_killed_before_any_change_of_ensure_it_can_be_removed(stepped: Sandbox) -> None:
    before = state(stepped)
    step = 1
    while killed_before(stepped, step, "ensure").status == KILLED:
        assert health_script(stepped, "remove").result, step
        assert state(stepped) == before, step
        step += 1
    assert step > 20
