"""Puts on a disk what other programs put there: signatures, written by hand from their formats.

By hand, so that the tests need none of those programs. That each is taken for what it claims to be
is seen in the tests, which look for its name in the refusal.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

from tests.scripts.sandbox import Disk

SECTOR = 512
_UUID = bytes(range(1, 17))
# Type GUID of a Linux file system partition, as GPT stores it.
_LINUX_DATA = bytes.fromhex("af3dc60f838472478e793d69d8477de4")


def _partition_entry(kind: int, first: int, sectors: int) -> bytes:
    return struct.pack("<B3sB3sII", 0, b"\0\2\0", kind, b"\xff\xff\xff", first, sectors)


def _boot_record(entry: bytes) -> bytes:
    return (bytes(446) + entry).ljust(510, b"\0") + b"\x55\xaa"


def dos_partition_table(disk: Disk) -> None:
    disk.write(0, _boot_record(_partition_entry(0x83, 2048, 4096)))


def gpt_partition_table(disk: Disk) -> None:
    last = disk.size // SECTOR - 1
    entry = _LINUX_DATA + _UUID + struct.pack("<QQQ", 2048, 6143, 0) + "data".encode("utf-16-le")
    entries = entry.ljust(128 * 128, b"\0")

    def header(own: int, other: int, table: int) -> bytes:
        fields = (own, other, 34, last - 33, _UUID, table, 128, 128, zlib.crc32(entries))

        def packed(checksum: int) -> bytes:
            start = struct.pack("<8sIIII", b"EFI PART", 0x10000, 92, checksum, 0)
            return start + struct.pack("<QQQQ16sQIII", *fields)

        return packed(zlib.crc32(packed(0))).ljust(SECTOR, b"\0")

    disk.write(0, _boot_record(_partition_entry(0xEE, 1, last)))
    disk.write(SECTOR, header(1, last, 2) + entries)
    disk.write((last - 32) * SECTOR, entries + header(last, 1, last - 32))


def vfat(disk: Disk) -> None:
    start = b"\xeb\x58\x90" + b"mkfs.fat"
    sectors = disk.size // SECTOR
    sizes = struct.pack("<HBHBHHBH", SECTOR, 4, 32, 2, 512, 0, 0xF8, 64)
    geometry = sizes + struct.pack("<HHII", 32, 2, 0, sectors)
    extended = struct.pack("<BBBI11s8s", 0x80, 0, 0x29, 0x1234, b"PHOTOS     ", b"FAT16   ")
    disk.write(0, (start + geometry + extended).ljust(510, b"\0") + b"\x55\xaa")
    disk.write(32 * 512, b"\xf8\xff\xff\xff")


def ntfs(disk: Disk) -> None:
    start = b"\xeb\x52\x90NTFS    " + struct.pack("<HBH", 512, 8, 0) + b"\0\0\0\0\0\xf8\0\0"
    start += struct.pack("<HHII", 63, 255, 0, 0) + struct.pack("<I", 0x800080)
    sectors = disk.size // 512 - 1
    start += struct.pack("<QQQ", sectors, 4, sectors // 16) + struct.pack("<bxxxbxxx", -10, 1)
    start += struct.pack("<Q", 0x1122334455667788)
    disk.write(0, start.ljust(510, b"\0") + b"\x55\xaa")
    record = b"FILE" + struct.pack("<HH", 48, 3)
    for index in range(4):
        disk.write(4 * 4096 + index * 1024, record.ljust(1024, b"\0"))


def btrfs(disk: Disk) -> None:
    block = bytes(32) + _UUID + struct.pack("<QQ", 65536, 0) + b"_BHRfS_M"
    disk.write(65536, block.ljust(4096, b"\0"))


def lvm_member(disk: Disk) -> None:
    body = struct.pack("<I8s", 32, b"LVM2 001") + b"0123456789abcdef0123456789abcdef"
    body = body.ljust(SECTOR - 20, b"\0")
    # LVM2 starts its CRC-32 from this value and does not invert it at the end.
    checksum = zlib.crc32(body, 0xF597A6CF ^ 0xFFFFFFFF) ^ 0xFFFFFFFF
    disk.write(SECTOR, struct.pack("<8sQI", b"LABELONE", 1, checksum) + body)


def raid_member(disk: Disk) -> None:
    start = struct.pack("<IIII", 0xA92B4EFC, 1, 0, 0) + _UUID + b"node:0".ljust(32, b"\0")
    block = bytearray(start.ljust(256, b"\0"))
    struct.pack_into("<Q", block, 144, 8)
    total = sum(struct.unpack("<64I", block))
    checksum = ((total & 0xFFFFFFFF) + (total >> 32)) & 0xFFFFFFFF
    struct.pack_into("<I", block, 216, checksum)
    disk.write(4096, bytes(block))


def luks(disk: Disk) -> None:
    start = b"LUKS\xba\xbe" + struct.pack(">H", 1) + b"aes".ljust(32, b"\0")
    start += b"xts-plain64".ljust(32, b"\0") + b"sha256".ljust(32, b"\0")
    header = start.ljust(168, b"\0") + b"11111111-2222-3333-4444-555555555555".ljust(40, b"\0")
    disk.write(0, header.ljust(592, b"\0"))


def bcache(disk: Disk) -> None:
    magic = bytes.fromhex("c68573f64e1a45ca8265f57f48ba6d81")
    block = struct.pack("<QQQ", 0, 8, 0) + magic + _UUID
    disk.write(4096, block.ljust(4096, b"\0"))


def zfs_member(disk: Disk) -> None:
    for index in range(8):
        disk.write(128 * 1024 + index * 1024, struct.pack("<QQ", 0x00BAB10C, 5000))


# What the refusal must call it -> what writes it.
SIGNATURES: dict[str, Callable[[Disk], None]] = {
    "a dos partition table": dos_partition_table,
    "a gpt partition table": gpt_partition_table,
    "vfat": vfat,
    "ntfs": ntfs,
    "btrfs": btrfs,
    "LVM2_member": lvm_member,
    "linux_raid_member": raid_member,
    "crypto_LUKS": luks,
    "bcache": bcache,
    "zfs_member": zfs_member,
}

# What the refusal must call it -> the host's own command that writes it.
COMMANDS = {
    "ext4, label data": "mkfs.ext4 -q -F -L data",
    "ext3": "mkfs.ext3 -q -F -L longhorn",
    "ext2": "mkfs.ext2 -q -F -L longhorn",
    "swap": "mkswap",
}
