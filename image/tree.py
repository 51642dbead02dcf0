"""The root image's files: reads rootfs/files and finds what each line names."""
import hashlib
import os
import re
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from paths import ROOT  # first: it tells where the next is
from fail import Fail


@dataclass(frozen=True)
class Entry:
    """One file of an image. `content` holds a regular file's bytes; `target` a link's."""

    path: str
    kind: str  # dir, file, link
    mode: int = 0o755
    uid: int = 0
    gid: int = 0
    content: bytes = b""
    target: str = ""

    def mix_into(self, digest):
        head = f"{self.path}\0{self.kind}\0{self.mode:o}\0{self.uid}:{self.gid}\0{self.target}\0{len(self.content)}\0"
        digest.update(head.encode() + self.content)


class Sources:
    """Where contents come from: packages by recipe, what the Makefile has built, the skeleton."""

    def __init__(self, packages, built, made):
        self.packages, self.built, self.made = packages, Path(built), made

    def content(self, path, source):
        kind, _, rest = source.partition(":")
        if kind == "skeleton":
            return (ROOT / "rootfs/skeleton" / path[1:]).read_bytes()
        if kind == "built":
            return stripped(self.built / rest)
        if kind == "made":
            return self.made[rest]
        if kind in ("package", "strip"):
            name, _, inside = rest.partition("/")
            file = self.packages.folder(name) / inside
            return stripped(file) if kind == "strip" else file.read_bytes()
        raise Fail(path, f"no such kind of source: {source}", "see the head of rootfs/files")


def stripped(file):
    """A program's bytes without symbols, and without the linker's hash over what was stripped."""
    with tempfile.TemporaryDirectory() as folder:
        to = Path(folder) / "program"
        subprocess.run(["strip", "-R", ".note.gnu.build-id", "-o", to, file], check=True)
        return to.read_bytes()


def owners():
    """Users and groups of the image, by name."""
    def ids(file):
        return {line.split(":")[0]: int(line.split(":")[2])
                for line in (ROOT / "rootfs/skeleton/etc" / file).read_text().splitlines()}
    return ids("passwd"), ids("group")


def folder_entries(path, folder):
    """A folder of the repository as it stands there, in order of names."""
    for name in sorted(os.listdir(folder)):
        file, place = folder / name, f"{path}/{name}"
        if file.is_symlink():
            yield Entry(place, "link", target=os.readlink(file))
        elif file.is_dir():
            yield Entry(place, "dir")
            yield from folder_entries(place, file)
        else:
            executable = file.stat().st_mode & stat.S_IXUSR
            yield Entry(place, "file", 0o755 if executable else 0o644, content=file.read_bytes())


def read(listing, sources):
    """The entries of a listing, which must be sorted and name each path once."""
    users, groups = owners()
    entries, last = [], ""
    for number, line in enumerate(Path(listing).read_text().splitlines(), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        where = f"{Path(listing).name}:{number}"
        if len(words) != 4 or not words[0].startswith("/"):
            raise Fail(where, "not `path mode owner source`", "see the head of the file")
        path, mode, owner, source = words
        if path <= last:
            raise Fail(where, f"{path} does not follow {last} in the order of bytes", "sort the file")
        last = path
        entries += line_entries(where, path, mode, owner, source, sources, users, groups)
    return entries


def line_entries(where, path, mode, owner, source, sources, users, groups):
    if source.startswith("link:"):
        return [Entry(path, "link", target=source[5:])]
    user, _, group = owner.partition(":")
    if not re.fullmatch(r"[0-7]{3,4}", mode) or user not in users or group not in groups:
        raise Fail(where, f"no such mode or owner: {mode} {owner}", "owners stand in rootfs/skeleton/etc/passwd")
    attributes = (int(mode, 8), users[user], groups[group])
    if source == "dir":
        return [Entry(path, "dir", *attributes)]
    if source.startswith("tree:"):
        return [Entry(path, "dir", *attributes), *folder_entries(path, ROOT / source[5:])]
    return [Entry(path, "file", *attributes, content=sources.content(path, source))]


def identity(entries):
    """What these entries are, in 20 hexadecimal digits."""
    digest = hashlib.sha256()
    for entry in entries:
        entry.mix_into(digest)
    return digest.hexdigest()[:20]
