"""Packages and disks of real hosts, by the real program on Pulumi's real engine."""

from collections.abc import Callable

import pytest

from lab.hosts import hosts
from lab.hosts.hosts import HostHandle
from tests.engine.engine import Engine, Stack
from tests.engine.needs import needs_hosts
from tests.engine.program_lab import (
    ACCEPTED,
    file_hash,
    hosts_only,
    mounts,
    node,
    on_host,
    whole_disk_hash,
    write_file,
)

pytestmark = needs_hosts
COMMAND = "command:remote:Command"
# What the login shells that are no POSIX shells have in common: `-c` and words in single quotes. It
# prints a line at each login, as a startup file may.
_WORDS_ONLY = r"""#!/usr/bin/perl
my $line = $ARGV[1];
print "welcome\n";
die "not the same to every shell\n" if $line =~ /[!\\\n]/;
my @words;
while ($line =~ /\G\s*('([^']*)'|[A-Za-z0-9_.\/-]+)/gc) { push @words, defined $2 ? $2 : $1; }
die "syntax error: " . substr($line, pos($line) || 0) . "\n" if (pos($line) || 0) < length $line;
$| = 1;
exec @words;
"""


def changed_names(stack: Stack, operation: str = "preview") -> set[str]:
    """Names of the custom resources that an operation would touch."""
    outcome = stack.start(operation).wait().or_fail()
    return {
        step.name
        for step in outcome.steps
        if step.stage == "begun"
        and step.operation not in ("same", "read", "refresh")
        and step.type == COMMAND
    }


def test_up_prepares_hosts_and_a_preview_right_after_shows_no_change(
    engine: Engine, new_host: Callable[..., HostHandle]
) -> None:
    pair = [new_host(), new_host()]
    stack = engine.project_stack("new", config=hosts_only(pair))
    stack.up().or_fail()
    outputs = stack.outputs()
    for host in pair:
        assert mounts(host) == {
            disk["mountPoint"]: disk["uuid"] for disk in outputs["disks"][host.name]
        }
        assert "open-iscsi" in on_host(host, "dpkg-query -W -f '${Package}\\n'").split()
    assert stack.preview().or_fail().operations() == {}


def test_destroy_keeps_file_systems_and_data_and_up_adopts_them_without_formatting(
    engine: Engine, new_host: Callable[..., HostHandle]
) -> None:
    host = new_host()
    stack = engine.project_stack("again", config=hosts_only([host]))
    stack.up().or_fail()
    before = mounts(host)
    written = write_file(host, "/mnt/longhorn-sdb/data")
    stack.destroy().or_fail()
    assert mounts(host) == {}
    assert "longhorn" not in on_host(host, "cat /etc/fstab")
    stack.up().or_fail()
    assert mounts(host) == before
    assert file_hash(host, "/mnt/longhorn-sdb/data") == written


def test_an_added_disk_and_an_added_node_touch_only_themselves(
    engine: Engine, new_host: Callable[..., HostHandle]
) -> None:
    first, second = new_host(disks=3), new_host()
    stack = engine.project_stack("grow", config=hosts_only([first]))
    stack.up().or_fail()
    more = [
        *hosts_only([first])["nodeDefaults"]["disks"],
        {"device": "/dev/sdd", "mountPoint": "/mnt/longhorn-sdd", "fileSystem": "ext4"},
    ]
    stack.configure(hosts_only([first], nodes=[node(first, disks=more)]))
    assert changed_names(stack) == {f"{first.name}-mnt-longhorn-sdd-mount"}
    stack.up().or_fail()
    assert "/mnt/longhorn-sdd" in mounts(first)
    stack.configure(hosts_only([first], nodes=[node(first, disks=more), node(second)]))
    touched = changed_names(stack, "up")
    assert touched
    assert all(name.startswith(second.name) for name in touched)


def test_a_corrected_name_of_a_node_and_the_way_back_unmount_nothing(
    engine: Engine, new_host: Callable[..., HostHandle]
) -> None:
    host = new_host()
    stack = engine.project_stack("renamed", config=hosts_only([host]))
    stack.up().or_fail()
    before, table = mounts(host), on_host(host, "cat /etc/fstab")
    shown = on_host(host, "cd /mnt/longhorn-sdb && stat -c %Y . && cat /proc/self/mountinfo")
    for name in ("node-three", host.name):
        stack.configure(hosts_only([host], nodes=[node(host, name=name)]))
        outcome = stack.up().or_fail()
        assert outcome.operations(COMMAND) == {"create": 3, "delete": 3}
        assert "stay, since longhorn-rancher/renamed" in outcome.log
        assert mounts(host) == before
        assert on_host(host, "cat /etc/fstab") == table
        assert stack.preview().or_fail().operations() == {}
    assert (
        on_host(host, "cd /mnt/longhorn-sdb && stat -c %Y . && cat /proc/self/mountinfo") == shown
    )
    stack.destroy().or_fail()
    assert mounts(host) == {}


@pytest.mark.parametrize("shell", ["fish", "tcsh"])
def test_a_login_shell_that_is_no_posix_shell_runs_everything(
    engine: Engine, new_host: Callable[..., HostHandle], shell: str
) -> None:
    host = new_host()
    on_host(host, f"cat > /usr/local/bin/{shell} && chmod +x /usr/local/bin/{shell}", _WORDS_ONLY)
    on_host(host, f"echo /usr/local/bin/{shell} >> /etc/shells")
    on_host(host, f"sed -i 's#^\\(root:.*\\):[^:]*$#\\1:/usr/local/bin/{shell}#' /etc/passwd")
    stack = engine.project_stack(shell, config=hosts_only([host]))
    stack.up().or_fail()
    assert len(mounts(host)) == 2
    on_host(host, "umount /mnt/longhorn-sdb")
    stack.up().or_fail()
    assert len(mounts(host)) == 2
    assert stack.preview().or_fail().operations() == {}


def test_a_login_shell_that_runs_nothing_and_ends_well_is_no_success(
    engine: Engine, new_host: Callable[..., HostHandle]
) -> None:
    host = new_host()
    on_host(host, "printf '#!/bin/sh\n' > /usr/local/bin/nothing; chmod +x /usr/local/bin/nothing")
    on_host(host, "cp /etc/passwd /etc/passwd.before")
    on_host(host, "sed -i 's#^\\(root:.*\\):[^:]*$#\\1:/usr/local/bin/nothing#' /etc/passwd")
    stack = engine.project_stack("nothing", config=hosts_only([host]))
    previewed = stack.preview()
    assert not previewed.succeeded
    assert "loginShell" in previewed.errors()
    stack.configure({"checks": {"readHosts": False}})
    outcome = stack.up()
    assert not outcome.succeeded
    assert f"loginShell: {host.name}" in outcome.errors()
    assert stack.resources(COMMAND) == []
    assert mounts(host) == {}
    on_host(host, "cp /etc/passwd.before /etc/passwd")
    stack.up().or_fail()
    assert len(mounts(host)) == 2


def test_what_a_logout_prints_spoils_no_result(
    engine: Engine, new_host: Callable[..., HostHandle]
) -> None:
    host = new_host()
    on_host(host, "cat > /usr/local/bin/noisy", '#!/bin/sh\necho hello\nsh "$@"\necho bye\n')
    on_host(host, "chmod +x /usr/local/bin/noisy && echo /usr/local/bin/noisy >> /etc/shells")
    on_host(host, "sed -i 's#^\\(root:.*\\):[^:]*$#\\1:/usr/local/bin/noisy#' /etc/passwd")
    stack = engine.project_stack("noisy", config=hosts_only([host], checks={"readHosts": False}))
    stack.up().or_fail()
    assert len(mounts(host)) == 2


def test_a_disk_that_holds_something_is_refused_by_name_and_keeps_every_byte(
    engine: Engine, new_host: Callable[..., HostHandle]
) -> None:
    # Every other kind of contents: tests/scripts/test_node_disk_refusals.py.
    host = new_host()
    on_host(host, "dd if=/dev/urandom of=/dev/sdb bs=1M count=1 status=none")
    before = whole_disk_hash(host, "/dev/sdb")
    # Preflight would stop before the script that this is about.
    unread = hosts_only([host], checks={"readHosts": False})
    stack = engine.project_stack("refused", config=unread)
    outcome = stack.up()
    assert not outcome.succeeded
    message = outcome.errors()
    assert host.name in message
    assert "/dev/sdb" in message
    assert "not blank" in message
    assert whole_disk_hash(host, "/dev/sdb") == before
    assert set(mounts(host)) == {"/mnt/longhorn-sdc"}, "the other disk should have been prepared"


def test_a_wrong_host_key_stops_its_node_alone_and_the_repaired_stack_completes(
    engine: Engine, new_host: Callable[..., HostHandle]
) -> None:
    good, bad = new_host(), new_host()
    wrong = node(bad, hostKey=good.host_key)
    stack = engine.project_stack("key", config=hosts_only([good, bad], nodes=[node(good), wrong]))
    outcome = stack.up("--continue-on-error")
    assert not outcome.succeeded
    assert f"{bad.name}-packages-install" in outcome.log
    assert "host key" in outcome.errors()
    assert len(mounts(good)) == 2
    assert mounts(bad) == {}
    stack.configure(hosts_only([good, bad]))
    stack.up().or_fail()
    assert len(mounts(bad)) == 2


def test_an_unreachable_host_is_named_and_the_other_nodes_finish(
    engine: Engine, new_host: Callable[..., HostHandle]
) -> None:
    good, cut_off = new_host(), new_host()
    hosts.set_reachable(cut_off.name, reachable=False)
    stack = engine.project_stack("cut", config=hosts_only([good, cut_off]))
    outcome = stack.up("--continue-on-error")
    assert not outcome.succeeded
    assert cut_off.name in outcome.errors() or f"{cut_off.name}-packages" in outcome.log
    assert len(mounts(good)) == 2
    hosts.set_reachable(cut_off.name, reachable=True)
    stack.up().or_fail()
    assert len(mounts(cut_off)) == 2


def test_sudo_works_without_a_password_with_one_and_its_refusal_is_told(
    engine: Engine, new_host: Callable[..., HostHandle]
) -> None:
    free, asked = new_host(), new_host()
    nodes = [node(free, user="operator"), node(asked, user="careful")]
    stack = engine.project_stack("sudo", config=hosts_only([free, asked], nodes=nodes))
    previewed = stack.preview()
    assert not previewed.succeeded
    assert f"sudoPassword: {asked.name}: sudo wants that of careful there" in previewed.errors()
    stack.configure({"checks": {"accept": [*ACCEPTED, "sudoPassword"]}})
    refused = stack.up("--continue-on-error")
    assert not refused.succeeded
    assert f"node {asked.name}: its scripts could not be put there" in refused.log
    assert "password" in refused.log
    assert len(mounts(free)) == 2
    stack.configure(secrets={"sudoPassword": asked.careful_password})
    stack.up().or_fail()
    assert len(mounts(asked)) == 2
    assert asked.careful_password not in str(stack.export())


def test_a_wrong_password_for_sudo_is_tried_once_since_three_failures_lock_many_an_account(
    engine: Engine, new_host: Callable[..., HostHandle]
) -> None:
    """Counted by sudo itself."""
    host, log = new_host(), "/var/log/sudo.log"
    on_host(host, f"echo 'Defaults logfile={log}' > /etc/sudoers.d/log")
    stack = engine.project_stack(
        "wrong", config=hosts_only([host], nodes=[node(host, user="careful")])
    )
    stack.configure(secrets={"sudoPassword": "another"})
    refused = stack.up()
    assert not refused.succeeded
    assert f"sudoPassword: {host.name}: the secret sudoPassword is not" in refused.errors()
    assert " ".join(on_host(host, f"cat {log}").split()).count("incorrect password attempt") == 1
    assert ": 1 incorrect password attempt" in on_host(host, f"cat {log}")
    stack.configure(secrets={"sudoPassword": host.careful_password})
    stack.up().or_fail()
    assert len(mounts(host)) == 2


def test_no_key_or_password_stands_in_state_log_or_diff(
    engine: Engine, new_host: Callable[..., HostHandle]
) -> None:
    host = new_host()
    stack = engine.project_stack(
        "secret",
        config=hosts_only([host], nodes=[node(host, user="careful")]),
        secrets={"sudoPassword": host.careful_password},
    )
    previewed = stack.preview("--diff").or_fail()
    outcome = stack.up("--diff").or_fail()
    key_lines = host.client_key_path.read_text().splitlines()[1:-1]
    for text in (str(stack.export()), previewed.log, outcome.log):
        assert host.careful_password not in text
        assert not any(line in text for line in key_lines)


def test_mounts_come_back_after_a_reboot_and_the_preview_stays_clean(
    engine: Engine, new_host: Callable[..., HostHandle]
) -> None:
    host = new_host()
    stack = engine.project_stack("boot", config=hosts_only([host]))
    stack.up().or_fail()
    before = mounts(host)
    hosts.reboot(host.name)
    assert mounts(host) == before
    assert stack.preview().or_fail().operations() == {}
