"""The disk image: the layout of installer/layout.py, GRUB for BIOS and UEFI, this system in slot A."""
import os
import struct

import fat
import grub
import layout

BOOT_CODE_BYTES = 440
# Where boot.img keeps the sector of the core image, and the core's first sector that of its second.
KERNEL_SECTOR_AT, BLOCK_LIST_AT = 0x5C, 0x1F4


def make(pieces, iso, work, to):
    parts = {part.name: part for part in layout.partitions()}
    core = bytearray(grub.core("i386-pc", "(,gpt2)/grub", "", work / "core.img"))
    boot = bytearray((grub.MODULES / "i386-pc/boot.img").read_bytes())
    at = parts["CORACLE-BIOS"].first
    struct.pack_into("<Q", boot, KERNEL_SECTOR_AT, at)
    struct.pack_into("<Q", core, BLOCK_LIST_AT, at + 1)
    esp = fat.volume(work / "esp.img", fat.ESP_BYTES, f"{pieces.identity}-esp", pieces.time, {
        "EFI/BOOT/BOOTX64.EFI": grub.core("x86_64-efi", "/grub", "", work / "disk.efi"),
        "grub/grub.cfg": grub.menu(pieces.version, grub.PICK_SLOT).encode(),
        "grub/grubenv": grub.environment(slot="A"),
    })
    temporary = work / "new.img"
    with open(temporary, "wb") as out:
        out.truncate(layout.disk_sectors() * layout.SECTOR)
        for sector, content in layout.table(pieces.identity).items():
            put(out, sector, content)
        out.seek(0)
        out.write(boot[:BOOT_CODE_BYTES])
        put(out, at, core)
        put(out, parts["CORACLE-ESP"].first, esp.read_bytes())
        put(out, parts["CORACLE-SYSTEM-A"].first, iso.read_bytes())
    os.replace(temporary, to)
    return to


def put(out, sector, content):
    """Blocks of nothing stay holes."""
    step = 4096
    for start in range(0, len(content), step):
        block = content[start:start + step]
        if block.strip(b"\0"):
            out.seek(sector * layout.SECTOR + start)
            out.write(block)
