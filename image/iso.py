"""The ISO: starts under BIOS and UEFI, from a CD or a USB stick; its bytes are also what a slot of a disk holds."""
import os

import archives
import fat
import grub


def make(pieces, work, to):
    """`pieces` has kernel, initrd, root, release, identity, version, time."""
    folder = work / "iso"
    archives.fresh(folder)
    (folder / "boot/grub").mkdir(parents=True)
    for name in ("vmlinuz", "initrd", "root.squashfs"):
        os.link(pieces.out / name, folder / name)
    (folder / "release").write_bytes(pieces.release)
    (folder / f"build-{pieces.identity}").write_bytes(b"")
    (folder / "boot/grub/grub.cfg").write_text(grub.menu(pieces.version))
    find = grub.FIND_ISO.format(identity=pieces.identity)
    grub.core("i386-pc-eltorito", "/boot/grub", find, work / "eltorito.img")
    os.replace(work / "eltorito.img", folder / "boot/grub/eltorito.img")
    efi = fat.volume(work / "iso-efi.img", fat.ISO_BYTES, f"{pieces.identity}-iso", pieces.time, {
        "EFI/BOOT/BOOTX64.EFI": grub.core("x86_64-efi", "/boot/grub", find, work / "iso.efi")})
    temporary = work / "new.iso"
    temporary.unlink(missing_ok=True)
    archives.run(["xorriso", "-as", "mkisofs", "-quiet", "-R", "-V", "CORACLE",
                  "--set_all_file_dates", f"={pieces.time}", "-o", temporary,
                  "-b", "boot/grub/eltorito.img", "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table",
                  "--grub2-boot-info", "--grub2-mbr", grub.MODULES / "i386-pc/boot_hybrid.img",
                  "--protective-msdos-label", "-append_partition", "2", "0xef", efi, "-appended_part_as_gpt",
                  "-eltorito-alt-boot", "-e", "--interval:appended_partition_2:all::", "-no-emul-boot", folder],
                 env={**os.environ, "SOURCE_DATE_EPOCH": str(pieces.time), "TZ": "UTC"})
    os.replace(temporary, to)
    return to
