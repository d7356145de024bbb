"""What someone changed on a host shows in the preview, `up` repairs it, and then all is quiet."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.hosts import hosts
from lab.hosts.hosts import HostHandle
from tests.engine.engine import Engine, Stack
from tests.engine.needs import needs_hosts
from tests.engine.outcome import Outcome
from tests.engine.program_lab import (
    ACCEPTED,
    file_hash,
    hosts_only,
    mounts,
    on_host,
    whole_disk_hash,
    write_file,
)

pytestmark = needs_hosts
COMMAND = "command:remote:Command"
SDB, SDC = "/mnt/longhorn-sdb", "/mnt/longhorn-sdc"
# Whatever a prepared disk of this size holds, this makes it blank again.
BLANK = (
    f"umount {SDC} 2>/dev/null || :; "
    "head -c $(blockdev --getsize64 /dev/sdc) /dev/zero > /dev/sdc && sync /dev/sdc"
)


@dataclass(frozen=True)
class Converged:
    """A host that the program has prepared, and the stack that did so."""

    host: HostHandle
    stack: Stack

    def name(self, what: str) -> str:
        """The resource that owns the part of the host."""
        return f"{self.host.name}-{what}"


@pytest.fixture(scope="module")
def converged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Converged]:
    """One host for the module; every test leaves it as it found it."""
    host = hosts.add_host("drift", disk_bytes=300 * 1024**2)
    stack = Engine(tmp_path_factory.mktemp("drift") / "engine").project_stack(
        "drift", config=hosts_only([host])
    )
    stack.up().or_fail()
    yield Converged(host, stack)
    hosts.down()


@pytest.fixture(autouse=True)
def _quiet_afterwards(converged: Converged) -> Iterator[None]:
    """After every repair a preview shows nothing: no update follows an update."""
    yield
    assert converged.stack.preview().or_fail().operations() == {}


def _changed(outcome: Outcome) -> set[str]:
    return {
        step.name
        for step in outcome.or_fail().steps
        if step.stage == "begun"
        and step.type == COMMAND
        and step.operation not in ("same", "read", "refresh")
    }


def _warnings(outcome: Outcome) -> str:
    return "\n".join(d.message for d in outcome.diagnostics if d.severity == "warning")


@pytest.mark.parametrize(
    ("fault", "resource", "reason"),
    [
        (f"umount {SDB}", "mnt-longhorn-sdb-mount", "/dev/sdb is not mounted on"),
        # The same reason as that of the last repair is a change all the same.
        (f"umount -l {SDB}", "mnt-longhorn-sdb-mount", "/dev/sdb is not mounted on"),
        (
            f"sed -i '\\#{SDB}#d' /etc/fstab",
            "mnt-longhorn-sdb-mount",
            f"/etc/fstab has no line for {SDB}",
        ),
        ("sed -i s/nofail/noauto/ /etc/fstab", None, "noauto"),
        (
            f"umount {SDB} && chattr -i {SDB} && mount {SDB}",
            "mnt-longhorn-sdb-mount",
            "beneath the mount can be written to",
        ),
        ("systemctl stop iscsid.socket iscsid.service", "packages-install", "iscsid does not run"),
        (
            "systemctl disable iscsid.socket iscsid.service",
            "packages-install",
            "iscsid does not start at boot",
        ),
        (
            "rm /etc/iscsi/initiatorname.iscsi",
            "packages-install",
            "no iSCSI initiator name",
        ),
        ("dpkg --purge --force-all nfs-common", "packages-install", "not installed: nfs-common"),
        (
            f"umount {SDC} && e2fsck -fp /dev/sdc && tune2fs -U random /dev/sdc",
            "mnt-longhorn-sdc-mount",
            "/etc/fstab has `UUID=",
        ),
        (BLANK, "mnt-longhorn-sdc-mount", "/dev/sdc is blank"),
    ],
    ids=[
        "unmounted",
        "unmounted again",
        "fstab line deleted",
        "fstab lines changed",
        "mount point writable",
        "iscsid stopped",
        "iscsid disabled",
        "initiator name gone",
        "package removed",
        "UUID changed",
        "disk swapped for a blank one",
    ],
)
def test_a_fault_shows_on_its_own_resource_with_the_reason_and_up_repairs_it(
    converged: Converged, fault: str, resource: str | None, reason: str
) -> None:
    before = mounts(converged.host)
    on_host(converged.host, fault)
    both = {converged.name("mnt-longhorn-sdb-mount"), converged.name("mnt-longhorn-sdc-mount")}
    expected = both if resource is None else {converged.name(resource)}
    previewed = converged.stack.preview("--diff")
    assert _changed(previewed) == expected
    assert reason in previewed.log
    assert _changed(converged.stack.up()) == expected
    assert set(mounts(converged.host)) == set(before)
    assert mounts(converged.host)[SDB] == before[SDB]


def test_data_outlives_every_repair(converged: Converged) -> None:
    written = write_file(converged.host, f"{SDB}/data")
    on_host(converged.host, f"umount {SDB} && sed -i '\\#{SDB}#d' /etc/fstab && chattr -i {SDB}")
    converged.stack.up().or_fail()
    assert file_hash(converged.host, f"{SDB}/data") == written


def test_after_a_repair_another_user_can_take_over(converged: Converged) -> None:
    """A repair leaves its command line in the state; it must not be root's for ever."""
    for user in ("operator", "root"):
        ssh = hosts_only([converged.host], ssh={"user": user})["ssh"]
        converged.stack.configure({"ssh": ssh})
        assert len(_changed(converged.stack.up())) == 3
        assert converged.stack.preview().or_fail().operations() == {}


def test_a_swapped_disk_with_foreign_data_is_named_and_never_formatted(
    converged: Converged,
) -> None:
    on_host(converged.host, f"{BLANK}; mkfs.xfs -q -f -L mine /dev/sdc")
    before = whole_disk_hash(converged.host, "/dev/sdc")
    previewed = converged.stack.preview("--diff")
    assert _changed(previewed) == {converged.name("mnt-longhorn-sdc-mount")}
    assert "/dev/sdc is not blank: it holds xfs, label mine" in previewed.log
    assert "disk: drift: /dev/sdc is not blank" in _warnings(previewed)
    outcome = converged.stack.up()
    assert not outcome.succeeded
    assert "/dev/sdc is not blank" in outcome.errors()
    assert whole_disk_hash(converged.host, "/dev/sdc") == before
    on_host(converged.host, BLANK)
    converged.stack.up().or_fail()


def test_a_disk_that_is_gone_is_named_and_one_under_another_name_by_that_name(
    converged: Converged,
) -> None:
    before = mounts(converged.host)
    on_host(converged.host, f"umount {SDC} && mv /dev/sdc /dev/sdz")
    previewed = converged.stack.preview("--diff")
    assert _changed(previewed) == {converged.name("mnt-longhorn-sdc-mount")}
    assert "/dev/sdc does not exist" in previewed.log
    outcome = converged.stack.up()
    assert not outcome.succeeded
    assert "is now /dev/sdz" in outcome.errors()
    assert SDB in mounts(converged.host)
    on_host(converged.host, "mv /dev/sdz /dev/sdc")
    converged.stack.up().or_fail()
    assert mounts(converged.host) == before


def test_disks_that_exchanged_their_names_show_no_difference(converged: Converged) -> None:
    on_host(converged.host, "mv /dev/sdb /dev/x && mv /dev/sdc /dev/sdb && mv /dev/x /dev/sdc")
    try:
        assert converged.stack.preview().or_fail().operations() == {}
    finally:
        on_host(converged.host, "mv /dev/sdb /dev/x && mv /dev/sdc /dev/sdb && mv /dev/x /dev/sdc")


def test_a_host_that_cannot_be_reached_is_a_warning_with_its_name_and_no_difference(
    converged: Converged,
) -> None:
    hosts.set_reachable(converged.host.name, reachable=False)
    try:
        previewed = converged.stack.preview().or_fail()
    finally:
        hosts.set_reachable(converged.host.name, reachable=True)
    assert previewed.operations() == {}
    assert "node drift could not be read" in _warnings(previewed)


def test_a_host_that_answers_garbage_is_a_warning_with_its_name_and_no_difference(
    converged: Converged,
) -> None:
    on_host(converged.host, "mv /bin/uname /bin/uname.real && printf '#!/bin/sh\\n' > /bin/uname")
    on_host(converged.host, "printf 'kill -9 $PPID\\n' >> /bin/uname && chmod +x /bin/uname")
    try:
        previewed = converged.stack.preview().or_fail()
    finally:
        on_host(converged.host, "mv /bin/uname.real /bin/uname")
    assert previewed.operations() == {}
    assert "node drift could not be read" in _warnings(previewed)
    assert "Traceback" not in previewed.log


def test_without_reading_a_fault_does_not_show_and_the_host_is_not_opened(
    converged: Converged,
) -> None:
    converged.stack.configure({"checks": {"readHosts": False}})
    on_host(converged.host, f"umount {SDB}")
    hosts.set_reachable(converged.host.name, reachable=False)
    try:
        previewed = converged.stack.preview().or_fail()
    finally:
        hosts.set_reachable(converged.host.name, reachable=True)
        converged.stack.configure({"checks": {"accept": ACCEPTED}})
    # The provider of dynamic resources has the whole configuration, so that a change of it shows.
    assert _changed(previewed) == set()
    assert "preflight" not in _warnings(previewed)
    assert "could not be read" not in _warnings(previewed)
    converged.stack.up().or_fail()
    assert SDB in mounts(converged.host)


def test_preflight_reports_over_all_nodes_and_touches_none(tmp_path: Path) -> None:
    first, second = hosts.add_host("refused-1"), hosts.add_host("refused-2")
    on_host(first, "mkfs.xfs -q -f /dev/sdb")
    on_host(second, "echo 'label: gpt\nsize=100M' | sfdisk -q /dev/sdc")
    stack = Engine(tmp_path / "engine").project_stack("refused", config=hosts_only([first, second]))
    for operation in (stack.preview, stack.up):
        outcome = operation()
        assert not outcome.succeeded
        told = outcome.errors()
        assert "1 error on 2 nodes; nothing was touched" in told
        assert "disk: refused-1: /dev/sdb is not blank: it holds xfs" in told
        assert "disk: refused-2: /dev/sdc is not blank: it holds a gpt" in told
        assert "checks.accept: [disk]" in told
        assert "Traceback" not in outcome.log
        assert outcome.operations(COMMAND) == {}
    for host in (first, second):
        assert mounts(host) == {}
        assert "open-iscsi" not in on_host(host, "dpkg-query -W -f '${Package}\\n'").split()
    stack.configure({"checks": {"accept": [*ACCEPTED, "disk"]}})
    accepted = stack.preview().or_fail()
    assert "/dev/sdb is not blank" in _warnings(accepted)
    assert accepted.operations(COMMAND) == {"create": 6}
