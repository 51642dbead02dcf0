"""The layout of a system disk: a GPT with the boot loader, two slots for systems, state and data.

A slot holds the bytes of an ISO: upgrading writes one into the slot that is not running. STATE and DATA arrive empty;
the system makes their file systems at the first start. Identifiers come from the name given, so that equal systems
make equal disks.
"""
import hashlib
import struct
import uuid
import zlib
from dataclasses import dataclass

SECTOR = 512
MIB = 2**20
ENTRIES, ENTRY_BYTES = 128, 128
TABLE_SECTORS = ENTRIES * ENTRY_BYTES // SECTOR
BIOS_BOOT = uuid.UUID("21686148-6449-6e6f-744e-656564454649")
ESP = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
LINUX = uuid.UUID("0fc63daf-8483-4772-8e79-3d69d8477de4")
# Name, type, size. GRUB's menu counts on the places of the slots: gpt3 and gpt4.
PARTITIONS = (("CORACLE-BIOS", BIOS_BOOT, 1 * MIB), ("CORACLE-ESP", ESP, 64 * MIB),
              ("CORACLE-SYSTEM-A", LINUX, 256 * MIB), ("CORACLE-SYSTEM-B", LINUX, 256 * MIB),
              ("CORACLE-STATE", LINUX, 2048 * MIB), ("CORACLE-DATA", LINUX, 1024 * MIB))


@dataclass(frozen=True)
class Partition:
    name: str
    kind: uuid.UUID
    first: int  # sectors
    last: int


def partitions():
    """Where each stands, from 1 MiB on without gaps."""
    first, found = MIB // SECTOR, []
    for name, kind, size in PARTITIONS:
        found.append(Partition(name, kind, first, first + size // SECTOR - 1))
        first += size // SECTOR
    return found


def disk_sectors():
    """The smallest disk: what the partitions take, and the second table behind them, to a whole MiB."""
    return (partitions()[-1].last + 1) + MIB // SECTOR


def identifier(seed, name):
    return uuid.UUID(bytes=hashlib.sha256(f"{seed}/{name}".encode()).digest()[:16], version=4)


def table(seed):
    """The bytes of both tables: {sector: bytes}. The first sector's boot code is the caller's."""
    total = disk_sectors()
    rows = b"".join(entry(seed, part) for part in partitions()).ljust(ENTRIES * ENTRY_BYTES, b"\0")
    first = header(seed, 1, total - 1, 2, total, rows)
    second = header(seed, total - 1, 1, total - 1 - TABLE_SECTORS, total, rows)
    return {0: protective(total), 1: first, 2: rows, total - 1 - TABLE_SECTORS: rows, total - 1: second}


def entry(seed, part):
    return struct.pack("<16s16sQQQ72s", part.kind.bytes_le, identifier(seed, part.name).bytes_le, part.first, part.last,
                       0, part.name.encode("utf-16-le"))


def header(seed, here, other, rows_at, total, rows):
    def pack(crc):
        return struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, crc, 0, here, other, 2 + TABLE_SECTORS,
                           total - 2 - TABLE_SECTORS, identifier(seed, "disk").bytes_le, rows_at, ENTRIES, ENTRY_BYTES,
                           zlib.crc32(rows))
    return pack(zlib.crc32(pack(0))).ljust(SECTOR, b"\0")


def protective(total):
    """The first sector, for those who know nothing of GPT."""
    row = struct.pack("<B3sB3sII", 0, b"\0\2\0", 0xEE, b"\xff\xff\xff", 1, min(total - 1, 0xFFFFFFFF))
    return bytes(446) + row + bytes(48) + b"\x55\xaa"
