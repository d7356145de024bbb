"""A throwaway host: runs the remote scripts for real, where they can't reach the machine.

Owns one root file system (a small ext4 image), its own mount, process and host name spaces, a /dev
of its own with only the disks that a test adds, and the loop devices behind them. Programs come
from the machine's /usr, read-only. It refuses to know what the scripts do: tests say that.

Nothing outlives the test process, however it ends: the loop devices are marked to be detached with
their last user, and the name spaces end with the pipe to their first process.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

MIB = 1024 * 1024
HOST_NAME = "node-1"
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SECONDS_FOR_A_RUN = 120
COPIED_FROM_ETC = ("alternatives", "ld.so.cache", "mke2fs.conf", "nsswitch.conf", "os-release")

FSTAB = """\
# <file system> <mount point> <type> <options> <dump> <pass>
UUID=11111111-2222-3333-4444-555555555555 / ext4 errors=remount-ro 0 1
\t/swapfile   none\tswap  sw 0 0
# a comment that names /mnt/longhorn-sdb
"""

# Runs as the first process of the new name spaces; $1 is the mounted root image.
_BECOME_HOST = """
set -eu
root=$1
read -r outer_pid _ </proc/self/stat
mount --make-rprivate /
mount --bind "$root" "$root"
mount --rbind /usr "$root/usr"
mount -o remount,bind,ro "$root/usr"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for node in null:3 zero:5 full:7 random:8 urandom:9; do
    mknod -m 666 "$root/dev/${node%:*}" c 1 "${node#*:}"
done
ln -s /proc/self/fd "$root/dev/fd"
hostname "$2"
cd "$root"
mkdir -p .machine
pivot_root . .machine
cd /
umount -l /.machine
rmdir /.machine
echo "$outer_pid"
while read -r line; do :; done
"""


@dataclass(frozen=True)
class Disk:
    """A disk of the sandbox: a sparse file behind a loop device, shown there as /dev/NAME."""

    name: str
    size: int
    number: str
    loop: str
    descriptor: int

    @property
    def path(self) -> str:
        return f"/dev/{self.name}"

    def digest(self) -> str:
        """SHA-256 of every byte of the disk, as any program on the host would read it."""
        os.fsync(self.descriptor)
        digest = hashlib.sha256()
        for offset in range(0, self.size, MIB):
            digest.update(os.pread(self.descriptor, MIB, offset))
        return digest.hexdigest()

    def read(self, offset: int, length: int) -> bytes:
        return os.pread(self.descriptor, length, offset)

    def write(self, offset: int, data: bytes) -> None:
        os.pwrite(self.descriptor, data, offset)
        os.fsync(self.descriptor)


class Sandbox:
    """One throwaway host. Made by `sandbox()`, which also takes it down."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._descriptors: list[int] = []
        self._root = directory / "root"
        self._init: subprocess.Popen[str] | None = None
        self._network: subprocess.Popen[str] | None = None
        self._pid = ""

    def start(self) -> None:
        root_disk = self._attach("root", 64 * MIB)
        subprocess.run(["mkfs.ext4", "-q", "-F", root_disk.loop], check=True)
        self._root.mkdir()
        subprocess.run(["mount", root_disk.loop, self._root], check=True)
        try:
            self._fill_root()
            self._init = subprocess.Popen(
                [
                    *("unshare", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child"),
                    *("sh", "-c", _BECOME_HOST, "sh", str(self._root), HOST_NAME),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            assert self._init.stdout is not None
            self._pid = self._init.stdout.readline().strip()
        finally:
            subprocess.run(["umount", self._root], check=True)
        assert self._pid, "the sandbox's first process failed, see its message above"
        self._show(root_disk)

    def stop(self) -> None:
        if self._network is not None:
            self._network.communicate()
        if self._init is not None:
            assert self._init.stdin is not None
            self._init.stdin.close()
            self._init.wait(SECONDS_FOR_A_RUN)
        for descriptor in self._descriptors:
            os.close(descriptor)

    def isolate_network(self) -> str:
        """Gives the sandbox a loopback of its own, no other network; returns its name space."""
        self._network = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "ip link set lo up && echo ready && exec cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._network.stdout is not None
        assert self._network.stdout.readline() == "ready\n"
        return self._network_path()

    def _network_path(self) -> str:
        return "" if self._network is None else f"/proc/{self._network.pid}/ns/net"

    @property
    def root(self) -> Path:
        """The sandbox's files as this machine sees them."""
        return Path(f"/proc/{self._pid}/root")

    def add_disk(self, name: str, size: int) -> Disk:
        """Adds a blank disk of `size` bytes as /dev/`name`."""
        disk = self._attach(name, size)
        self._show(disk)
        return disk

    def resize_disk(self, disk: Disk, size: int) -> Disk:
        """Makes a disk larger or smaller while it is there, as of a virtual machine."""
        os.truncate(self._directory / f"{disk.name}.img", size)
        subprocess.run(["losetup", "--set-capacity", disk.loop], check=True)
        return replace(disk, size=size)

    def start_process(self, *command: str) -> subprocess.Popen[str]:
        """Starts a command in the sandbox, as root, with an environment of its own."""
        return subprocess.Popen(
            [
                *("nsenter", "-t", self._pid, "--mount", "--pid", "--uts", "--ipc"),
                *([f"--net={path}"] if (path := self._network_path()) else []),
                *("--", "env", "-i", f"PATH={SEARCH_PATH}", "HOME=/root", *command),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @contextmanager
    def bystander(self, commands: str) -> Iterator[None]:
        """A process named cat that has done `commands` in its shell, and lives for the block."""
        process = self.start_process("sh", "-euc", f"{commands}; echo ready; exec cat >&2")
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "ready\n"
            yield
        finally:
            process.communicate()

    def call(self, *command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Runs a command in the sandbox to its end and returns what it said, failed or not."""
        process = self.start_process(*command)
        try:
            stdout, stderr = process.communicate(stdin, timeout=SECONDS_FOR_A_RUN)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)

    def shell(self, commands: str) -> str:
        """Runs shell commands that a test relies on; returns their output."""
        done = self.call("sh", "-euc", commands)
        assert done.returncode == 0, f"{commands}\n{done.stdout}{done.stderr}"
        return done.stdout

    def read_text(self, path: str) -> str:
        return self.shell(f"cat {path}")

    def write_text(self, path: str, text: str) -> None:
        done = self.call(
            "sh", "-euc", 'mkdir -p "$(dirname "$1")"; cat >"$1"', "sh", path, stdin=text
        )
        assert done.returncode == 0, done.stderr

    def _attach(self, name: str, size: int) -> Disk:
        image = self._directory / f"{name}.img"
        with image.open("wb") as file:
            file.truncate(size)
        loop = subprocess.run(
            ["losetup", "--find", "--show", image], check=True, capture_output=True, text=True
        ).stdout.strip()
        descriptor = os.open(loop, os.O_RDWR | os.O_CLOEXEC)
        # While it is open, this only marks the device to be detached with its last user.
        self._descriptors.append(descriptor)
        subprocess.run(["losetup", "--detach", loop], check=True)
        device = os.fstat(descriptor).st_rdev
        number = f"{os.major(device)}:{os.minor(device)}"
        return Disk(name, size, number, loop, descriptor)

    def _show(self, disk: Disk) -> None:
        self.shell(f"mknod -m 660 /dev/{disk.name} b {disk.number.replace(':', ' ')}")

    def _fill_root(self) -> None:
        directories = "etc usr proc sys run tmp dev mnt root var/lib opt/test"
        for name in directories.split():
            (self._root / name).mkdir(parents=True, exist_ok=True)
        for name in ("bin", "sbin", "lib", "lib64"):
            machine = Path("/", name)
            if machine.is_symlink():
                (self._root / name).symlink_to(f"usr/{name}")
            elif machine.exists():
                shutil.copytree(machine, self._root / name, symlinks=True)
        for name in COPIED_FROM_ETC:
            machine = Path("/etc", name)
            if machine.is_dir():
                shutil.copytree(machine, self._root / "etc" / name, symlinks=True)
            elif machine.exists():
                shutil.copy(machine, self._root / "etc" / name)
        (self._root / "etc/mtab").symlink_to("/proc/self/mounts")
        (self._root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
        (self._root / "etc/group").write_text("root:x:0:\n")
        (self._root / "etc/fstab").write_text(FSTAB)


def why_not() -> str:
    """Says why this machine can't make sandboxes; empty if it can."""
    if os.geteuid() != 0:
        return "needs root, for loop devices and name spaces"
    if not Path("/dev/loop-control").exists():
        return "needs loop devices: modprobe loop"
    for tool in ("losetup", "unshare", "nsenter", "mkfs.ext4"):
        if shutil.which(tool, path=SEARCH_PATH) is None:
            return f"needs the command {tool}"
    return ""


@contextmanager
def sandbox(directory: Path) -> Iterator[Sandbox]:
    """A running sandbox whose files are below `directory`."""
    host = Sandbox(directory)
    try:
        host.start()
        yield host
    finally:
        host.stop()
