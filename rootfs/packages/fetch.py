#!/usr/bin/python3
"""Fetches what the lock file pins, and writes the lock file.

    fetch.py relock                                   pin the newest versions
    fetch.py set NAME                                 unpack a set's debs, print the folder
    fetch.py debs --class C NAME... --unpack DIR      single pinned debs, unpacked into DIR
    fetch.py source NAME                              a recipe's source files; prints their paths
"""

import argparse
import hashlib
import shutil
from functools import cached_property
from pathlib import Path

import pins
import recipe
from archive import Archive
from fail import Fail, run, say
from relock import relock
from store import Store, cache_dir, locked, unpack_debs


class Fetcher:
    """Brings pinned files; the archive is asked only when one is not in the cache."""

    def __init__(self, root=recipe.HERE, cache=None):
        self.root = root
        self.cache = cache or cache_dir()
        self.store = Store(self.cache, lambda: self.archive)

    @cached_property
    def archive(self):
        return Archive(self.cache)

    @cached_property
    def pins(self):
        return pins.read(self.root / "packages.lock")

    def of_set(self, name):
        found = [pin for pin in self.pins if pin.set == name and pin.kind == "deb"]
        if not found:
            raise Fail(
                name,
                "the lock file has no set of that name",
                "add it to `wanted` and run `make relock`",
            )
        return found

    def named(self, name, klass):
        found = [
            pin
            for pin in self.pins
            if pin.kind == "deb" and pin.name == name and pin.klass == klass
        ]
        if not found:
            raise Fail(
                name,
                f"the lock file pins no {klass} package of that name",
                "add it to `wanted` and run `make relock`",
            )
        return found[0]

    def bring(self, wanted):
        """Downloads pins; returns them, a vanished test pin replaced by a newer version."""
        vanished = set(self.store.fetch(wanted))
        return [self._replacement(pin) if pin in vanished else pin for pin in wanted]

    def _replacement(self, pin):
        if pin.klass == "image":
            raise Fail(
                f"{pin.name} {pin.version}",
                f"the archive has it no more (pinned in packages.lock, suite {pin.suite})",
                "run `make relock` to pin the version that it has now",
            )
        newer = self._listed(pin, update=False) or self._listed(pin, update=True)
        if newer:
            say(
                f"notice: {pin.name} {pin.version} has vanished;"
                f" taking {newer.version} of {pin.suite} (test package)"
            )
            return newer
        raise Fail(
            f"{pin.name} {pin.version}",
            f"the archive has neither it nor a newer version in {pin.suite}",
            "run `make relock`",
        )

    def _listed(self, pin, update):
        if update:
            self.archive.update()
        elif not self.archive.has_lists():
            return None
        look = self.archive.debs if pin.kind == "deb" else self.archive.sources
        for version, size, sha256, path in look(pin.name, pin.suite):
            newer = pins.Pin(
                pin.kind, pin.set, pin.name, version, pin.suite, pin.klass, size, sha256, path
            )
            if sha256 != pin.sha256 and not self.store.fetch([newer]):
                return newer
        return None

    def unpacked_set(self, name):
        got = self.bring(self.of_set(name))
        target = self.cache / "sets" / f"{name}-{_key(got)[:16]}"
        with locked(self.cache / "lock" / f"set-{name}"):
            if not target.exists():
                say(f"unpacking {len(got)} packages of set {name}")
                unpack_debs([self.store.place(pin) for pin in got], target)
        return target

    def unpack(self, names, klass, target):
        got = self.bring([self.named(name, klass) for name in names])
        stamp = target / ".unpacked"
        if stamp.exists() and stamp.read_text() == _key(got):
            return
        with locked(
            self.cache / "lock" / f"unpack-{hashlib.sha256(str(target).encode()).hexdigest()[:16]}"
        ):
            if target.exists() and not stamp.exists():
                raise Fail(
                    str(target),
                    "the folder exists and was not made by this program",
                    "choose another folder",
                )
            shutil.rmtree(target, ignore_errors=True)
            say(f"unpacking {' '.join(names)} into {target.name}")
            unpack_debs([self.store.place(pin) for pin in got], target)
            stamp.write_text(_key(got))

    def source(self, name):
        """The files of a recipe's source package, signatures left out: the .dsc first."""
        found = [pin for pin in self.pins if pin.kind == "dsc" and pin.set == name]
        if not found:
            raise Fail(name, "the lock file does not pin its source", "run `make relock`")
        dsc = self.bring(found)[0]
        parts = self.parts(dsc)
        return [self.store.place(pin) for pin in [dsc] + self.bring(parts)]

    def parts(self, dsc):
        """The pins of the tarballs that a .dsc in the store names."""
        found, inside = [], False
        for line in self.store.place(dsc).read_text().splitlines():
            if line.startswith("Checksums-Sha256:"):
                inside = True
            elif not line.startswith(" "):
                inside = False
            elif inside and not line.endswith(".asc"):
                sha256, size, file = line.split()
                path = dsc.path.rsplit("/", 1)[0] + "/" + file
                found.append(
                    pins.Pin(
                        "dsc",
                        dsc.set,
                        file,
                        dsc.version,
                        dsc.suite,
                        dsc.klass,
                        int(size),
                        sha256,
                        path,
                    )
                )
        return found


def _key(got):
    return hashlib.sha256("\n".join(pin.sha256 for pin in got).encode()).hexdigest()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("relock")
    commands.add_parser("set").add_argument("name")
    debs = commands.add_parser("debs")
    debs.add_argument("--class", dest="klass", choices=pins.CLASSES, required=True)
    debs.add_argument("--unpack", type=Path, required=True)
    debs.add_argument("names", nargs="+")
    commands.add_parser("source").add_argument("name")
    parser.add_argument(
        "--root",
        type=Path,
        default=recipe.HERE,
        help="folder of the recipes, `wanted` and the lock file",
    )
    args = parser.parse_args()
    fetcher = Fetcher(args.root)
    if args.command == "relock":
        relock(fetcher.archive, fetcher.store, args.root)
    elif args.command == "set":
        print(fetcher.unpacked_set(args.name))
    elif args.command == "debs":
        fetcher.unpack(args.names, args.klass, args.unpack.resolve())
    else:
        print("\n".join(str(path) for path in fetcher.source(args.name)))


if __name__ == "__main__":
    run(main)
