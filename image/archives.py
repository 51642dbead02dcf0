"""Archives of entries whose bytes depend on nothing else: squashfs by way of tar, and cpio as the kernel reads it."""
import io
import shutil
import stat
import subprocess
import tarfile

import paths  # noqa: F401  first: it tells where the next is
from fail import Fail

KINDS = {"dir": stat.S_IFDIR, "file": stat.S_IFREG, "link": stat.S_IFLNK}
TAR_TYPES = {"dir": tarfile.DIRTYPE, "file": tarfile.REGTYPE, "link": tarfile.SYMTYPE}
CPIO_ALIGN = 4


def run(argv, **more):
    """A tool of Debian's; its words are shown only when it fails."""
    done = subprocess.run([str(word) for word in argv], capture_output=True, **more)
    if done.returncode:
        raise Fail(argv[0], f"ended with {done.returncode}:\n{(done.stderr or done.stdout).decode(errors='replace')}",
                   "see what it says")
    return done.stdout


def tar(entries, time):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for entry in entries:
            info = tarfile.TarInfo(entry.path.lstrip("/"))
            info.type, info.mode, info.mtime = TAR_TYPES[entry.kind], entry.mode, time
            info.uid, info.gid, info.linkname, info.size = entry.uid, entry.gid, entry.target, len(entry.content)
            archive.addfile(info, io.BytesIO(entry.content))
    return out.getvalue()


def squashfs(entries, time, to, level=19):
    """A squashfs of the entries. Big blocks save space and cost memory while a page is read: 128 KiB is between."""
    to.unlink(missing_ok=True)
    run(["mksquashfs", "-", to, "-tar", "-quiet", "-no-progress", "-comp", "zstd", "-Xcompression-level", level, "-b", "128K",
         "-no-xattrs", "-exit-on-error", "-mkfs-time", time, "-all-time", time,
         "-root-time", time, "-root-mode", "755", "-root-uid", 0, "-root-gid", 0], input=tar(entries, time))


def cpio(entries, time):
    """The "newc" form. Folders must stand before what is in them."""
    out = bytearray()
    for number, entry in enumerate(entries, 1):
        content = entry.target.encode() if entry.kind == "link" else entry.content
        add_member(out, number, entry.path.lstrip("/"), KINDS[entry.kind] | entry.mode, entry, content, time)
    add_member(out, 0, "TRAILER!!!", 0, None, b"", 0)
    out.extend(bytes(-len(out) % 512))
    return bytes(out)


def add_member(out, number, name, mode, entry, content, time):
    links = 2 if entry and entry.kind == "dir" else 1
    fields = (number, mode, entry.uid if entry else 0, entry.gid if entry else 0, links, time, len(content),
              0, 0, 0, 0, len(name) + 1, 0)
    out.extend(b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0")
    out.extend(bytes(-len(out) % CPIO_ALIGN))
    out.extend(content)
    out.extend(bytes(-len(out) % CPIO_ALIGN))


def aligned(archive):
    """The kernel finds a second archive behind the first at a multiple of four."""
    return archive + bytes(-len(archive) % CPIO_ALIGN)


def fresh(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def zstd(content, level=19):
    return run(["zstd", f"-{level}", "--single-thread", "-c"], input=content)
