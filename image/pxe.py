"""What a network boot takes: the kernel, an initrd that carries the root, and the script for iPXE."""
import archives
import grub
import tree

SCRIPT = """#!ipxe
kernel vmlinuz initrd=initrd {cmdline}
initrd initrd
boot
"""


def make(pieces, to):
    """A folder to serve. The root is compressed already, so its archive is not."""
    archives.fresh(to)
    root = tree.Entry("/root.squashfs", "file", 0o644, content=pieces.root.read_bytes())
    (to / "vmlinuz").write_bytes(pieces.kernel.read_bytes())
    (to / "initrd").write_bytes(pieces.initrd.read_bytes() + archives.cpio([root], pieces.time))
    (to / "boot.ipxe").write_text(SCRIPT.format(cmdline=grub.CMDLINE))
    return to
