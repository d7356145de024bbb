"""SSH servers on the loopback that answer at once what a host does: facts, scripts, results.

    python -m tools.bench.a_thousand_hosts PUBLIC_KEY FIRST COUNT

Each has an address of its own, 127.1.x.y, since two nodes with one address are one host. Nothing
runs there: what is measured is this program, Pulumi and the plugins. They end with standard
input.
"""

import asyncio
import json
import re
import sys
from typing import Any

import asyncssh

from tools.bench.healthy_host import DISKS, healthy_answer

PORT = 20722
_DISK = {"fileSystem": "ext4", "sizeBytes": 107374182400, "immutable": True, "formatted": True}
_PACKAGES = {
    "family": "debian",
    "packages": {"open-iscsi": "2.1.8-1", "nfs-common": "1:2.6.2-4", "e2fsprogs": "1.47.0-2"},
    "iscsid": "active",
}
_DEVICE = re.compile(r"run node-disk ensure (\S+) (\S+)")


def address(number: int) -> str:
    """The address of the host of that number."""
    return f"127.1.{number >> 8 & 255}.{number & 255}"


def answer(command: str, stdin: str, number: int) -> bytes:
    """What a healthy host prints."""
    if "node_facts" in stdin:
        return healthy_answer(f"node-{number}", scripts=True)
    if disk := _DEVICE.search(command):
        uuid = f"{number:08d}-2222-3333-4444-{DISKS.index(disk[2]):012d}"
        result = {**_DISK, "device": disk[1], "uuid": uuid, "mountPoint": disk[2]}
    elif "node-packages" in command:
        result = _PACKAGES
    else:
        result = {"done": True}
    return f"{json.dumps(result)}\n".encode()


async def serve(client_key: str, first: int, count: int) -> None:
    """Serve until standard input ends; tells the host key in one line, which comes there first."""
    allowed = asyncssh.import_authorized_keys(client_key)
    host_key = asyncssh.import_private_key(json.loads(sys.stdin.readline()))

    async def handle(process: Any) -> None:
        number = sum(
            int(part) << shift
            for part, shift in zip(
                process.get_extra_info("sockname")[0].split(".")[2:], (8, 0), strict=True
            )
        )
        stdin = (await process.stdin.read()).decode()
        process.stdout.write(answer(process.command, stdin, number))
        process.exit(0)

    for number in range(first, first + count):
        await asyncssh.listen(
            address(number),
            PORT,
            authorized_client_keys=allowed,
            server_host_keys=[host_key],
            process_factory=handle,
            encoding=None,
        )
    print(host_key.export_public_key().decode().strip(), flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
