"""A lab host whose mkfs.ext4 takes as long as a test wants, and counts what it formatted."""

from lab.common.waiting import wait_until
from lab.hosts import hosts
from lab.hosts.hosts import HostHandle
from tests.engine.program_lab import on_host

# Outside /run, so that they outlive a reboot of the host.
_FORMATTED = "/var/lib/formatted"
_HELD = "/var/lib/held"
_MKFS = "/usr/local/sbin/mkfs.ext4"
_SCRIPT = f"""#!/bin/sh
set -eu
/usr/sbin/mkfs.ext4 "$@"
for disk in "$@"; do :; done
echo "$disk" >>{_FORMATTED}
[ ! -p {_HELD} ] || read -r line <{_HELD} || :
"""


class SlowFormatting:
    """From now on every mkfs.ext4 of the host makes its file system, then waits for `release`."""

    def __init__(self, host: HostHandle) -> None:
        self._host = host
        on_host(host, f"cat >{_MKFS} && chmod +x {_MKFS} && mkfifo {_HELD}", _SCRIPT)

    def formatted(self) -> list[str]:
        """The disks whose file system was completed, once for each time."""
        return hosts.run(self._host.name, f"sort {_FORMATTED}").stdout.split()

    def wait_until_held(self, disks: int, seconds: float = 60) -> None:
        """Return once that many file systems are made and nothing that comes after them is."""
        wait_until(
            lambda: len(self.formatted()) >= disks,
            doing=f"{self._host.name} formatting {disks} disks",
            seconds=seconds,
        )

    def release(self) -> None:
        """Let it end, and every later one run through."""
        on_host(self._host, f"mv {_HELD} {_HELD}.open && timeout 10 sh -c 'echo >{_HELD}.open'")

    def run_through(self) -> None:
        """Let every later one run through, where none that waits is left."""
        on_host(self._host, f"rm -f {_HELD}")
