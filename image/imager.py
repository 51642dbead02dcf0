#!/usr/bin/python3
"""Makes the images of the appliance, each from the same kernel, initrd and root.

usage: imager.py [--out DIR] [--built DIR] direct|iso|disk|pxe...
"""
import argparse
import os
import re
import subprocess
import sys
from functools import cached_property
from pathlib import Path

from paths import ROOT  # first: it tells where some of the next are
import agent
import archives
import disk
import iso
import pxe
import tree
from build import Builder
from fail import Fail
from fetch import Fetcher

PACKAGES = ROOT / "rootfs/packages"
FALLBACK_TIME = 1735689600


class Packages:
    """The folders of packages, each built when it is first asked for."""

    def __init__(self):
        self.builder = Builder(PACKAGES, Fetcher(PACKAGES))
        self.folders = {}

    def folder(self, name):
        if name not in self.folders:
            self.folders[name] = self.builder.build(name, "musl")
        return self.folders[name]


def build_time():
    """When the source was last changed: the same for everybody who builds it."""
    if "SOURCE_DATE_EPOCH" in os.environ:
        return int(os.environ["SOURCE_DATE_EPOCH"])
    done = subprocess.run(["git", "-C", ROOT, "log", "-1", "--format=%ct"], capture_output=True, text=True)
    return int(done.stdout) if done.returncode == 0 else FALLBACK_TIME


def version():
    header = (ROOT / "services/lib/daemon/version.h").read_text()
    return re.search(r'VERSION_GIT\s+"([^"]+)"', header)[1]


class Imager:
    def __init__(self, out, built, time=None):
        self.out, self.built = Path(out), Path(built)
        self.packages = Packages()
        self.time, self.version = time or build_time(), version()
        self.work = self.out / "work"
        self.work.mkdir(parents=True, exist_ok=True)

    @cached_property
    def kernel(self):
        """The kernel, beside the other pieces."""
        to = self.out / "vmlinuz"
        replace(to, (self.packages.folder("linux") / "boot/bzImage").read_bytes())
        return to

    @cached_property
    def entries(self):
        """The root's entries; the release file names what all the others are."""
        blank = tree.read(ROOT / "rootfs/files", tree.Sources(self.packages, self.built, {"release": b""}))
        self.identity = tree.identity(blank)
        self.release = (f"NAME=Coracle\nVERSION={self.version}\nBUILD={self.identity}\nTIME={self.time}\n").encode()
        return [tree.Entry(e.path, e.kind, e.mode, e.uid, e.gid, self.release) if e.path == "/etc/coracle-release"
                else e for e in blank]

    @cached_property
    def root(self):
        """The root image; not made again when it is this one already."""
        to, stamp = self.out / "root.squashfs", self.out / "root.id"
        entries = self.entries
        now = f"{self.identity} {self.time}\n"
        if not (to.exists() and stamp.exists() and stamp.read_text() == now):
            archives.squashfs(entries, self.time, self.work / to.name)
            stamp.unlink(missing_ok=True)
            (self.work / to.name).rename(to)
            stamp.write_text(now)
        return to

    def initrd_entries(self):
        """Stage 1 and the name of the root that it looks for."""
        release = self.entries and self.release
        return [tree.Entry("/coracle-release", "file", 0o644, content=release),
                *[tree.Entry(f"/{name}", "dir") for name in ("dev", "proc", "root", "run", "sys")],
                tree.Entry("/init", "file", content=tree.stripped(self.built / "stage1"))]

    @cached_property
    def initrd(self):
        to = self.out / "initrd"
        replace(to, archives.aligned(archives.zstd(archives.cpio(self.initrd_entries(), self.time))))
        return to

    @cached_property
    def iso(self):
        self.make_pieces()
        return iso.make(self, self.work, self.out / "coracle.iso")

    @cached_property
    def disk(self):
        return disk.make(self, self.iso, self.work, self.out / "coracle.img")

    @cached_property
    def pxe(self):
        self.make_pieces()
        return pxe.make(self, self.out / "pxe")

    def make_pieces(self):
        return [self.kernel, self.initrd, self.root]

    @cached_property
    def agent(self):
        """What a launcher appends to the initrd for tests; no image that is shipped has it."""
        to = self.out / "agent.cpio"
        replace(to, archives.cpio(agent.entries(self.packages), self.time))
        return to


def replace(to, content):
    temporary = to.with_name(to.name + ".new")
    temporary.write_bytes(content)
    temporary.rename(to)


BUDGETS_MIB = {"coracle.iso": 48, "initrd": 2}
IMAGES = {
    "direct": lambda imager: [*imager.make_pieces(), imager.agent],
    "iso": lambda imager: [imager.iso],
    "disk": lambda imager: [imager.disk],
    "pxe": lambda imager: [imager.pxe / name for name in ("vmlinuz", "initrd", "boot.ipxe")],
}


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--out", default=ROOT / "out/image")
    parser.add_argument("--built", default=ROOT / "out/musl/bin")
    parser.add_argument("images", nargs="+", choices=IMAGES)
    args = parser.parse_args()
    imager = Imager(args.out, args.built)
    made = [path for name in args.images for path in IMAGES[name](imager)]
    print(f"{'MiB':>9} {'budget':>7}")
    for path in made:
        budget = BUDGETS_MIB.get(path.name, "") if path.parent == imager.out else ""
        print(f"{path.stat().st_blocks * 512 / 2**20:9.2f} {budget:>7}  {os.path.relpath(path)}")


if __name__ == "__main__":
    try:
        main()
    except Fail as fail:
        sys.exit(f"image: error: {fail}")
