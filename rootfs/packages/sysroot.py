"""A sysroot is a tree of symbolic links into packages of the cache, many merged to one."""

import os
import shutil
import tempfile
from pathlib import Path

from fail import Fail, say

STAMP = ".packages"


def refresh(packages, target):
    """Makes `target` the merge of `packages`; does nothing if it is that already."""
    stamp = "".join(f"{package}\n" for package in packages)
    try:
        if (target / STAMP).read_text() == stamp:
            return
    except OSError:
        pass
    if target.exists() and not (target / STAMP).exists():
        raise Fail(str(target), "the folder exists and is no sysroot", "choose another folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".sysroot-", dir=target.parent))
    merge(packages, folder / "new")
    (folder / "new" / STAMP).write_text(stamp)
    if target.exists():
        target.rename(folder / "old")
    (folder / "new").rename(target)
    shutil.rmtree(folder)
    say(f"merged {len(packages)} packages into {target}")


def merge(packages, target):
    target.mkdir(parents=True)
    for package in packages:
        for folder, _, files in os.walk(package):
            into = target / os.path.relpath(folder, package)
            into.mkdir(exist_ok=True)
            for name in files:
                if (into / name).is_symlink():
                    raise Fail(
                        str(into / name),
                        "two packages bring this file",
                        "correct one of the recipes",
                    )
                (into / name).symlink_to(os.path.join(folder, name))
