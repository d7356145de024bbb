"""Killed, doubled or failing runs: the next one completes the work and formats no disk twice."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass

import pytest

from tests.scripts.remote import (
    MOUNT_POINT,
    Outcome,
    ensure,
    fstab,
    mounted_device,
    outcome,
    remove,
    script_text,
)
from tests.scripts.sandbox import FSTAB, MIB, Disk, Sandbox

pytestmark = pytest.mark.disks

TOOLS = "/opt/test/bin"
SCRIPT = "/opt/test/disk.sh"
FORMATS = "/opt/test/formats"


def add_tool(host: Sandbox, name: str, text: str) -> None:
    """Puts a program `name` before the host's own on the script's search path."""
    host.write_text(f"{TOOLS}/{name}", "#!/bin/sh\nset -eu\n" + text)
    host.shell(f"chmod +x {TOOLS}/{name}")


def count_formats(host: Sandbox) -> None:
    """From now on each completed mkfs.ext4 leaves a line in FORMATS."""
    host.shell(f": >{FORMATS}")
    add_tool(host, "mkfs.ext4", f'/usr/sbin/mkfs.ext4 "$@"\necho done >>{FORMATS}\n')


# ---- killed at any command ------------------------------------------------------------------

# Bash runs the DEBUG trap before every simple command, in functions and subshells too. It counts
# the lines of the trap itself, so that has to be one line.
HERE = '"$BASH_SOURCE $LINENO ${BASH_COMMAND%%[[:space:]]*}"'
TRACE = f"""
set -T
trap 'echo {HERE} >>/opt/test/trace' DEBUG
. /opt/test/disk.sh
"""
KILL = f"""
set -T
main=$$
trap '[ {HERE} != "$STEP" ] || kill -9 $main' DEBUG
. /opt/test/disk.sh
"""
WHOLE = ". /opt/test/disk.sh"
DISK = ("/dev/sdb", MOUNT_POINT, "ext4")


def run_under(host: Sandbox, wrapper: str, action: str, step: str = "") -> Outcome:
    environment = ("env", f"PATH={TOOLS}:/usr/sbin:/usr/bin:/sbin:/bin", f"STEP={step}")
    return outcome(host.call(*environment, "bash", "-c", wrapper, "sh", action, *DISK))


def steps_of_a_run(host: Sandbox, action: str) -> list[str]:
    """The distinct "FILE LINE COMMAND" steps of one run of the script, the last one first.

    A run killed at an earlier step did a part of what one killed at a later step did. So once a
    kill leaves the host as it was, kills at all earlier steps do.
    """
    host.shell("rm -f /opt/test/trace")
    assert run_under(host, TRACE, action).result
    lines = host.read_text("/opt/test/trace").splitlines()
    return list(dict.fromkeys(line for line in lines if line.startswith(f"{SCRIPT} ")))[::-1]


def state(host: Sandbox) -> str:
    """All that a run may change on the host, to see whether a killed one had begun to."""
    return host.shell(
        """
        cat /etc/fstab /proc/self/mounts; ls -A /mnt /var/lib/longhorn-rancher || :
        lsattr -d /mnt/* || :; sha256sum /dev/sdb
        """
    )


def reset(host: Sandbox) -> None:
    """Makes the host as it was before any run, its disk blank."""
    host.shell(
        f"""
        ! mountpoint -q {MOUNT_POINT} || umount {MOUNT_POINT}
        [ ! -e {MOUNT_POINT} ] || {{ chattr -i {MOUNT_POINT}; rmdir {MOUNT_POINT}; }}
        rm -rf /var/lib/longhorn-rancher /run/longhorn-rancher /run/blkid
        mkdir /var/lib/longhorn-rancher
        cp /etc/fstab.before /etc/fstab
        blkdiscard --zeroout /dev/sdb
        : >{FORMATS}
        """
    )


@pytest.fixture
def stepped(host: Sandbox) -> Sandbox:
    if host.call("bash", "-c", "true").returncode != 0:
        pytest.skip("needs the command bash")
    host.add_disk("sdb", 8 * MIB)
    host.shell("cp /etc/fstab /etc/fstab.before")
    host.write_text(SCRIPT, script_text("disk.sh"))
    count_formats(host)
    return host


def test_killed_before_any_command_of_ensure_the_next_run_completes_it(stepped: Sandbox) -> None:
    reset(stepped)
    blank = state(stepped)
    steps = steps_of_a_run(stepped, "ensure")
    assert len(steps) > 200
    reset(stepped)
    begun = 0
    for step in steps:
        assert run_under(stepped, KILL, "ensure", step).status == -9, step
        if state(stepped) == blank:
            break
        begun += 1
        was_mounted = mounted_device(stepped) != ""
        if was_mounted:
            stepped.shell(f"echo precious >{MOUNT_POINT}/file")

        result = run_under(stepped, WHOLE, "ensure").result

        assert (result["immutable"], mounted_device(stepped) != "") == (True, True), step
        assert stepped.read_text(FORMATS) == "done\n", step
        line = f"UUID={result['uuid']} {MOUNT_POINT} ext4 defaults,nofail 0 2\n"
        assert fstab(stepped) == FSTAB + line, step
        assert "formatting" not in stepped.shell("ls -A /var/lib/longhorn-rancher"), step
        if was_mounted:
            assert stepped.read_text(f"{MOUNT_POINT}/file") == "precious\n", step
        reset(stepped)
    assert begun > 80


def test_killed_before_any_command_of_remove_the_next_run_completes_it(stepped: Sandbox) -> None:
    assert run_under(stepped, WHOLE, "ensure").result
    stepped.shell(f"echo precious >{MOUNT_POINT}/file")
    steps = steps_of_a_run(stepped, "remove")
    assert len(steps) > 80
    assert run_under(stepped, WHOLE, "ensure").result
    begun = 0
    for step in steps:
        assert run_under(stepped, KILL, "remove", step).status == -9, step
        if mounted_device(stepped):
            # Unmounting is the first thing to change.
            break
        begun += 1

        assert run_under(stepped, WHOLE, "remove").result == {"removed": True}

        assert mounted_device(stepped) == "", step
        assert fstab(stepped) == FSTAB, step
        assert stepped.shell("ls -A /mnt") == "", step
        assert run_under(stepped, WHOLE, "ensure").result
    assert begun > 40
    assert stepped.read_text(FORMATS) == "done\n"
    assert stepped.read_text(f"{MOUNT_POINT}/file") == "precious\n"


# ---- interrupted inside mkfs ----------------------------------------------------------------


@dataclass(frozen=True)
class HalfWay:
    """A state that a killed mkfs leaves: of its whole work, what is not on the disk yet."""

    file_system: str
    size: int
    # Byte ranges of the finished work (from, to) that get on the disk; then one byte more.
    written: tuple[tuple[int, int], ...]
    patch: tuple[int, int] | None = None


HALF_WAY = {
    # mkfs.ext4 writes its first superblock last, mkfs.xfs clears byte 126 of its own last.
    "ext4: nothing written": HalfWay("ext4", 16 * MIB, ()),
    "ext4: some tables written": HalfWay("ext4", 16 * MIB, ((2048, 4 * MIB),)),
    "ext4: all but the first superblock": HalfWay("ext4", 16 * MIB, ((2048, 16 * MIB),)),
    "xfs: only its superblock": HalfWay("xfs", 320 * MIB, ((0, 512),), (126, 1)),
    "xfs: all but its last mark": HalfWay("xfs", 320 * MIB, ((0, 320 * MIB),), (126, 1)),
}


def leave_half_way(host: Sandbox, disk: Disk, state: HalfWay) -> None:
    """Runs ensure with a mkfs that ends half-way, as if it had been killed."""
    if host.call("sh", "-c", f"command -v mkfs.{state.file_system}").returncode != 0:
        pytest.skip(f"needs the command mkfs.{state.file_system}")
    image = "/run/whole.img"
    lines = [f"for disk; do :; done\ntruncate -s {state.size} {image}"]
    lines.append(f"/usr/sbin/mkfs.{state.file_system} -q -L longhorn {image} >/dev/null")
    if state.patch:
        offset, value = state.patch
        lines.append(
            f"printf '\\{value:03o}' | dd of={image} bs=1 seek={offset} conv=notrunc 2>/dev/null"
        )
    for start, end in state.written:
        blocks = f"bs=64K skip={start} seek={start} count={end - start}"
        flags = "iflag=skip_bytes,count_bytes oflag=seek_bytes conv=notrunc,sparse,fsync"
        lines.append(f'dd if={image} of="$disk" {blocks} {flags} 2>/dev/null')
    lines.append(f"rm {image}\nexit 1")
    add_tool(host, f"mkfs.{state.file_system}", "\n".join(lines))
    refusal = ensure(host, disk, file_system=state.file_system, path=TOOLS).refusal
    assert f"mkfs.{state.file_system} failed" in refusal
    assert fstab(host) == FSTAB


@pytest.mark.parametrize("name", HALF_WAY)
def test_a_disk_whose_format_was_interrupted_is_formatted_again(host: Sandbox, name: str) -> None:
    state = HALF_WAY[name]
    disk = host.add_disk("sdb", state.size)
    leave_half_way(host, disk, state)

    result = ensure(host, disk, file_system=state.file_system).result

    assert (result["formatted"], mounted_device(host)) == (True, disk.number)
    assert "formatting" not in host.shell("ls -A /var/lib/longhorn-rancher")


INTERRUPTED = HALF_WAY["ext4: all but the first superblock"]


def test_a_half_formatted_disk_of_which_nothing_is_known_is_refused(host: Sandbox) -> None:
    disk = host.add_disk("sdb", INTERRUPTED.size)
    leave_half_way(host, disk, INTERRUPTED)
    host.shell("rm -r /var/lib/longhorn-rancher")
    before = disk.digest()
    assert "data of an unknown kind" in ensure(host, disk).refusal
    assert disk.digest() == before


def test_an_unfinished_xfs_of_which_nothing_is_known_is_refused(host: Sandbox) -> None:
    state = HALF_WAY["xfs: all but its last mark"]
    disk = host.add_disk("sdb", state.size)
    leave_half_way(host, disk, state)
    host.shell("rm -r /var/lib/longhorn-rancher")
    assert "holds an unfinished xfs" in ensure(host, disk, file_system="xfs").refusal


def test_another_disk_in_the_same_place_is_not_taken_for_the_interrupted_one(
    host: Sandbox,
) -> None:
    disk = host.add_disk("sdb", INTERRUPTED.size)
    leave_half_way(host, disk, INTERRUPTED)
    other = host.add_disk("sdc", INTERRUPTED.size)
    host.shell("dd if=/dev/sdb of=/dev/sdc bs=1M conv=fsync 2>/dev/null; mv /dev/sdc /dev/sdb")
    before = other.digest()
    assert "data of an unknown kind" in ensure(host, disk).refusal
    assert other.digest() == before


def test_after_a_restart_a_disk_without_a_number_of_its_own_is_not_trusted_by_its_place(
    host: Sandbox,
) -> None:
    disk = host.add_disk("sdb", INTERRUPTED.size)
    leave_half_way(host, disk, INTERRUPTED)
    boot_id = "/proc/sys/kernel/random/boot_id"
    host.shell(f"echo another >/run/boot_id; mount --bind /run/boot_id {boot_id}")
    assert "data of an unknown kind" in ensure(host, disk).refusal


def test_after_a_restart_a_disk_with_a_number_of_its_own_is_known_again(host: Sandbox) -> None:
    disk = host.add_disk("sdb", INTERRUPTED.size)
    # Loop devices have no world-wide name: this one's place in /sys gets a copy that has one.
    place = f"/sys/dev/block/{disk.number}"
    host.shell(
        f"""
        mkdir -p /run/sys/holders
        for name in dev ro size removable; do cat {place}/$name >/run/sys/$name; done
        echo naa.5000c500a1b2c3d4 >/run/sys/wwid
        mount --bind /run/sys {place}/
        """
    )
    leave_half_way(host, disk, INTERRUPTED)
    boot_id = "/proc/sys/kernel/random/boot_id"
    host.shell(f"echo another >/run/boot_id; mount --bind /run/boot_id {boot_id}")
    assert ensure(host, disk).result["formatted"] is True


def test_a_disk_that_was_put_to_another_use_after_the_interruption_is_refused(
    host: Sandbox,
) -> None:
    disk = host.add_disk("sdb", INTERRUPTED.size)
    leave_half_way(host, disk, INTERRUPTED)
    disk.write(0, b"a database without any known signature")
    before = disk.digest()
    assert "data of an unknown kind" in ensure(host, disk).refusal
    assert disk.digest() == before


def test_a_disk_that_was_given_back_no_longer_counts_as_half_formatted(host: Sandbox) -> None:
    disk = host.add_disk("sdb", INTERRUPTED.size)
    leave_half_way(host, disk, INTERRUPTED)
    remove(host, disk)
    assert "data of an unknown kind" in ensure(host, disk).refusal


def test_a_damaged_file_system_from_an_interrupted_run_is_not_formatted_away(
    host: Sandbox,
) -> None:
    disk = host.add_disk("sdb", INTERRUPTED.size)
    leave_half_way(host, disk, INTERRUPTED)
    host.shell("mkfs.ext4 -q -F -L longhorn /dev/sdb")
    # Its first block group descriptors, as after a power cut.
    disk.write(2048, b"\xff" * 1024)
    before = disk.digest()
    refusal = ensure(host, disk).refusal
    assert "e2fsck is not content with it" in refusal
    assert disk.digest() == before


# ---- two at once ----------------------------------------------------------------------------


def start_ensure(host: Sandbox) -> subprocess.Popen[str]:
    search = f"PATH={TOOLS}:/usr/sbin:/usr/bin:/sbin:/bin"
    return host.start_process(
        "env", search, "sh", SCRIPT, "ensure", "/dev/sdb", MOUNT_POINT, "ext4"
    )


def test_two_runs_at_once_format_once_and_write_one_line(host: Sandbox) -> None:
    disk = host.add_disk("sdb", 16 * MIB)
    host.write_text(SCRIPT, script_text("disk.sh"))
    count_formats(host)

    runs = [start_ensure(host) for _ in range(4)]
    said = [run.communicate(timeout=100) for run in runs]

    assert [run.returncode for run in runs] == [0, 0, 0, 0], said
    assert sorted('"formatted":true' in stdout for stdout, _ in said) == [False] * 3 + [True]
    assert host.read_text(FORMATS) == "done\n"
    assert fstab(host).startswith(FSTAB)
    assert fstab(host).count(f" {MOUNT_POINT} ext4 ") == 1
    assert mounted_device(host) == disk.number


def test_a_run_waits_for_the_mkfs_that_a_killed_run_left_behind(host: Sandbox) -> None:
    host.add_disk("sdb", 16 * MIB)
    host.write_text(SCRIPT, script_text("disk.sh"))
    host.shell("mkfifo /run/begun /run/may-go-on")
    wait = "echo $$ >/run/begun; read -r word </run/may-go-on\n"
    add_tool(host, "mkfs.ext4", f'{wait}/usr/sbin/mkfs.ext4 "$@"; echo done >>{FORMATS}\n')
    start_ensure(host)
    host.shell(f"cat /run/begun; pkill -9 -f '^sh {SCRIPT}'")

    second = start_ensure(host)
    assert second.stderr is not None
    assert "waiting for another run to end" in second.stderr.readline()
    host.shell("echo go >/run/may-go-on")
    stdout, stderr = second.communicate(timeout=60)

    assert '"formatted":false' in stdout, stderr
    assert host.read_text(FORMATS) == "done\n"
