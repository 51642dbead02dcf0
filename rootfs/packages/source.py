"""Unpacks a Debian source package: upstream's tarballs, debian/, and the patches of its series."""

import re
import shutil
import subprocess
from pathlib import Path

from fail import Fail

COMPONENT = re.compile(r"\.orig-([a-z0-9-]+)\.tar\.")


def unpack(files, target, patches):
    """`files` are stored as `<sha256>-<name>`; `target` is made."""
    main = [
        f
        for f in files
        if re.search(r"\.orig\.tar\.|^[^-]*-[^-]*_[^-]*\.tar\.", f.name)
        and "debian.tar" not in f.name
    ]
    if len(main) != 1:
        raise Fail(
            files[0].name, "the source package has no single upstream tarball", "correct the recipe"
        )
    _tarball(main[0], target)
    for file in files:
        part = COMPONENT.search(file.name)
        if part:
            _tarball(file, target / part[1])
        elif ".debian.tar." in file.name:
            _tarball(file, target / "debian")
    series = target / "debian/patches/series"
    if patches == "debian" and series.exists():
        for line in series.read_text().splitlines():
            name = line.split("#")[0].split()
            if name:
                _patch(target, name[0])


def _tarball(file, target):
    partial = target.parent / (target.name + ".unpacking")
    partial.mkdir(parents=True)
    done = subprocess.run(
        ["tar", "-xf", file, "-C", partial, "--no-same-owner"], capture_output=True, text=True
    )
    if done.returncode:
        raise Fail(
            file.name, f"tar: {done.stderr.strip()}", "remove it from the cache and try again"
        )
    inside = list(partial.iterdir())
    root = inside[0] if len(inside) == 1 and inside[0].is_dir() else partial
    if target.is_dir():
        shutil.rmtree(target)  # upstream's own debian/, or the empty folder of a component
    root.rename(target)
    if root != partial:
        partial.rmdir()


def _patch(target, name):
    with open(Path(target, "debian/patches", name), "rb") as file:
        done = subprocess.run(
            ["patch", "-p1", "-s", "-f", "--no-backup-if-mismatch"],
            cwd=target,
            stdin=file,
            capture_output=True,
            text=True,
        )
    if done.returncode:
        raise Fail(
            name,
            f"the patch does not apply: {done.stdout.strip()}",
            "see debian/patches of the source package",
        )
