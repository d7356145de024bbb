"""What a node needs gets installed with its own package manager, and only what is missing."""

from __future__ import annotations

import pytest

from tests.scripts.package_managers import (
    MANAGERS,
    OS_RELEASES,
    TOOLS,
    add_tool,
    become,
    calls,
    have_installed,
)
from tests.scripts.remote import Outcome, run_script
from tests.scripts.sandbox import Sandbox

pytestmark = pytest.mark.disks

ONE_OF_EACH = ["Debian 12", "Rocky Linux 9", "SLES 15"]


def run(host: Sandbox, *arguments: str, shell: str = "sh") -> Outcome:
    return run_script(host, "packages.sh", *arguments, path=TOOLS, shell=shell)


def installations(host: Sandbox) -> list[str]:
    return calls(host, " install ")


@pytest.mark.parametrize("distribution", OS_RELEASES)
def test_a_bare_node_gets_what_its_family_calls_the_packages(
    host: Sandbox, distribution: str
) -> None:
    packages = become(host, distribution)
    family = OS_RELEASES[distribution][0]

    result = run(host, "ensure").result

    assert result == {
        "family": family,
        "packages": dict.fromkeys(packages, "1.0-1"),
        "iscsid": "active",
    }
    (installation,) = installations(host)
    assert installation.startswith(MANAGERS[family])
    assert installation.endswith(" ".join(packages))


@pytest.mark.parametrize("distribution", ONE_OF_EACH)
def test_a_second_run_installs_nothing_and_starts_nothing(host: Sandbox, distribution: str) -> None:
    become(host, distribution)
    first = run(host, "ensure").result
    host.shell(": >/run/calls")

    second = run(host, "ensure").result

    assert second == first
    changing = [call for call in calls(host) if call.split()[0] in MANAGERS.values()]
    changing += calls(host, "systemctl start") + calls(host, "systemctl enable")
    assert changing == []


@pytest.mark.parametrize("distribution", ONE_OF_EACH)
def test_only_what_is_missing_is_installed_and_the_rest_keeps_its_version(
    host: Sandbox, distribution: str
) -> None:
    packages = become(host, distribution)
    have_installed(host, *packages[1:])

    result = run(host, "ensure").result

    (installation,) = installations(host)
    assert installation.endswith(" " + packages[0])
    assert not any(package in installation for package in packages[1:])
    assert result["packages"] == dict.fromkeys(packages, "9.9-9") | {packages[0]: "1.0-1"}


def test_an_older_member_of_the_rhel_family_is_served_by_yum(host: Sandbox) -> None:
    if host.call("sh", "-c", "command -v dnf").returncode == 0:
        pytest.skip("this machine has a dnf of its own, which the script would find")
    packages = become(host, "CentOS 7", manager="yum")
    run(host, "ensure")
    (installation,) = installations(host)
    assert installation.startswith("yum install -y")
    assert installation.endswith(" ".join(packages))


def test_xfs_tools_are_installed_only_when_asked_for(host: Sandbox) -> None:
    become(host, "Debian 12")
    assert "xfsprogs" not in run(host, "ensure").result["packages"]
    assert run(host, "ensure", "--xfs").result["packages"]["xfsprogs"] == "1.0-1"


def test_a_package_that_was_removed_but_left_its_settings_is_installed_again(
    host: Sandbox,
) -> None:
    packages = become(host, "Debian 12")
    have_installed(host, *packages)
    host.shell("echo config-files >/run/state")
    assert "still missing" in run(host, "ensure").refusal
    assert len(installations(host)) == 1


@pytest.mark.parametrize("os_release", ["ID=alpine\n", 'ID=arch\nID_LIKE="archlinux"\n', ""])
def test_a_distribution_of_no_known_family_is_an_error_that_says_what_to_do(
    host: Sandbox, os_release: str
) -> None:
    become(host, "Debian 12")
    host.write_text("/etc/os-release", os_release)
    refusal = run(host, "ensure").refusal
    assert "not of the Debian, RHEL or SUSE family" in refusal
    assert "by hand" in refusal
    assert installations(host) == []


@pytest.mark.parametrize(
    ("distribution", "manager"),
    [
        ("Debian 12", "apt-get"),
        ("Rocky Linux 9", "dnf"),
        ("CentOS 7", "yum"),
        ("SLES 15", "zypper"),
    ],
)
def test_another_package_manager_at_work_is_waited_for(
    host: Sandbox, distribution: str, manager: str
) -> None:
    become(host, distribution, manager=manager)
    if manager == "yum" and host.call("sh", "-c", "command -v dnf").returncode == 0:
        pytest.skip("this machine has a dnf of its own, which the script would find")
    host.shell("printf 'one\\ntwo\\n' >/run/locked")
    done = run(host, "ensure")
    assert done.result["iscsid"] == "active"
    assert len(calls(host, "sleep")) == 2
    assert done.stderr.count("another package manager is at work; waiting") == 1


@pytest.mark.parametrize("distribution", ONE_OF_EACH)
def test_an_error_beside_which_everything_was_installed_is_a_warning(
    host: Sandbox, distribution: str
) -> None:
    family, _ = OS_RELEASES[distribution]
    become(host, distribution)
    tool = f"{TOOLS}/{MANAGERS[family]}"
    host.shell(f"echo 'echo \"a repository was skipped\" >&2; exit 106' >>{tool}")
    done = run(host, "ensure")
    assert done.result["iscsid"] == "active"
    assert "a repository was skipped" in done.stderr
    assert "warning: the package manager ended with an error" in done.stderr


def test_an_installation_that_fails_is_told_with_the_managers_own_words(host: Sandbox) -> None:
    become(host, "Debian 12")
    host.shell(": >/run/broken")
    done = run(host, "ensure")
    assert "no repository answers" in done.stderr
    assert "installing open-iscsi nfs-common" in done.refusal
    assert calls(host, "sleep") == []


def test_iscsid_is_enabled_and_started(host: Sandbox) -> None:
    have_installed_all(host)
    run(host, "ensure")
    assert calls(host, "systemctl enable") == ["systemctl enable iscsid.service"]
    assert calls(host, "systemctl start") == ["systemctl start iscsid.service"]


def have_installed_all(host: Sandbox) -> None:
    have_installed(host, *become(host, "Debian 12"))


def test_an_iscsid_that_runs_by_its_socket_is_left_alone(host: Sandbox) -> None:
    have_installed_all(host)
    host.shell(": >/run/active/iscsid.socket; : >/run/enabled/iscsid.socket")
    assert run(host, "ensure").result["iscsid"] == "active"
    assert calls(host, "systemctl start") == []


def test_an_iscsid_that_runs_but_would_not_after_a_restart_is_enabled(host: Sandbox) -> None:
    have_installed_all(host)
    host.shell(": >/run/active/iscsid.service")
    run(host, "ensure")
    assert calls(host, "systemctl enable") == ["systemctl enable iscsid.service"]


def test_where_the_service_cannot_be_started_the_socket_is(host: Sandbox) -> None:
    have_installed_all(host)
    host.shell(": >/run/broken-units/iscsid.service")
    assert run(host, "ensure").result["iscsid"] == "active"
    assert calls(host, "systemctl start iscsid.socket")


def test_an_iscsid_that_does_not_start_is_an_error(host: Sandbox) -> None:
    have_installed_all(host)
    host.shell(": >/run/broken-units/iscsid.service; : >/run/broken-units/iscsid.socket")
    assert "iscsid does not run" in run(host, "ensure").refusal


def test_an_iscsiadm_that_does_not_work_is_an_error(host: Sandbox) -> None:
    have_installed_all(host)
    host.shell(": >/run/broken-iscsiadm")
    assert "iscsiadm --version fails" in run(host, "ensure").refusal


def test_a_node_without_an_initiator_name_gets_one_and_keeps_it(host: Sandbox) -> None:
    have_installed_all(host)
    names = "/etc/iscsi/initiatorname.iscsi"
    run(host, "ensure")
    assert host.read_text(names) == "InitiatorName=iqn.2005-03.org.open-iscsi:abcdef\n"
    host.write_text(names, "# by hand\nInitiatorName=iqn.mine\n")
    run(host, "ensure")
    assert host.read_text(names) == "# by hand\nInitiatorName=iqn.mine\n"


def test_a_host_without_systemd_starts_iscsid_by_its_service(host: Sandbox) -> None:
    have_installed_all(host)
    host.shell("rmdir /run/systemd/system; cp /usr/bin/sleep /run/iscsid; chmod +x /run/iscsid")
    # As a daemon's start does, it ends when the daemon is there.
    add_tool(
        host,
        "service",
        "/run/iscsid 300 >/dev/null 2>&1 &\n"
        'until [ "$(cat /proc/$!/comm)" = iscsid ]; do sleep 0.1; done\n',
    )
    assert run(host, "ensure").result["iscsid"] == "active"
    assert calls(host, "service") == ["service iscsid start"]
    assert calls(host, "systemctl") == []


@pytest.mark.parametrize("shell", ["busybox sh", "bash --posix"])
def test_other_shells_do_the_same(host: Sandbox, shell: str) -> None:
    if host.call("sh", "-c", f"command -v {shell.split()[0]}").returncode != 0:
        pytest.skip(f"needs the command {shell.split()[0]}")
    packages = become(host, "Debian 12")
    assert list(run(host, "ensure", shell=shell).result["packages"]) == packages


@pytest.mark.parametrize("arguments", [(), ("install",), ("remove",), ("ensure", "--all")])
def test_a_wrong_call_is_explained(host: Sandbox, arguments: tuple[str, ...]) -> None:
    become(host, "Debian 12")
    refusal = run(host, *arguments).refusal
    assert "usage: packages.sh" in refusal or "unknown option --all" in refusal


@pytest.mark.parametrize(
    ("words", "waits"),
    [
        ("dpkg frontend lock was locked by another process with pid 1", True),
        ("Waiting for cache lock: Could not get lock /var/lib/dpkg/lock. It is held by 7", True),
        ("error: can't create transaction lock on /var/lib/rpm/.rpm.lock", True),
        ("Existing lock /var/run/yum.pid: another copy is running as pid 9.", True),
        ("Waiting for process with pid 12 to finish.", True),
        ("E: Failed to fetch http://a.example.com/libblockdev.deb 404 Not Found", False),
        ("E: Unable to locate package clock-tools", False),
        ("Metadata cache lock taken by another process", True),
        ("E: Could not open lock file /var/lock - open (30: Read-only file system)", False),
        ("error: can't create transaction lock on /var/lib/rpm (No space left on device)", False),
        (
            "E: Could not open lock file /a/lock - open (13: Permission denied)\n"
            "E: Unable to lock directory /a/",
            False,
        ),
    ],
)
def test_a_lock_is_known_by_more_than_one_spelling(host: Sandbox, words: str, waits: bool) -> None:
    become(host, "Debian 12")
    add_tool(
        host, "apt-get", f'[ -e /run/once ] || {{ : >/run/once; echo "{words}" >&2; exit 1; }}\n'
    )
    add_tool(host, "dpkg", "")
    assert ("waiting for it" in run(host, "ensure").stderr) is waits


def test_the_package_managers_words_are_shown_only_when_it_fails(host: Sandbox) -> None:
    become(host, "Debian 12")
    add_tool(host, "apt-get", "echo 'Get:1 something'; exit 1\n")
    assert "Get:1 something" in run(host, "ensure").stderr
    become(host, "Debian 12")
    quiet = run(host, "ensure")
    assert quiet.result["iscsid"] == "active"
    assert len([line for line in quiet.stderr.splitlines() if "install" in line]) == 1


@pytest.mark.parametrize(
    ("commands", "remedy"),
    [
        (": >/run/ostree-booted; echo >/opt/test/bin/rpm-ostree", "rpm-ostree install"),
        ("echo >/opt/test/bin/transactional-update", "transactional-update pkg install"),
        ("true", "start the node from that"),
    ],
)
def test_a_system_that_is_an_image_is_refused_with_its_own_command_and_fine_when_complete(
    host: Sandbox, commands: str, remedy: str
) -> None:
    packages = become(host, "openSUSE Leap")
    add_tool(host, "findmnt", "echo ro,relatime\n")
    host.shell(f"{commands}\nchmod +x {TOOLS}/*")
    refusal = run(host, "ensure").refusal
    assert "is part of an image" in refusal
    assert remedy in refusal
    assert calls(host, "zypper") == []
    have_installed(host, *packages)
    assert run(host, "ensure").result["iscsid"] == "active"
