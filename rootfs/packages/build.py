#!/usr/bin/python3
"""Builds packages from recipes into the cache, and merges them to a sysroot.

    build.py --target host openssl zlib --sysroot out/sysroot/host

What was built is kept as `<cache>/pkg/NAME-TARGET-KEY`. The key is a hash of everything that goes
in: recipe, build script, pins, inputs, compiler, target and the keys of what it needs; so that
nothing is built twice and nothing old is used.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import time
from functools import cached_property
from pathlib import Path

import recipe
import source
import sysroot
from fail import Fail, run, say
from fetch import Fetcher
from store import locked

FORMAT = "1"
TOOLCHAIN = {"host": [], "musl": ["linux-headers", "musl"], "any": []}
EPOCH = "1735689600"
TICK_S = 60


class Builder:
    def __init__(self, root, fetcher):
        self.root = root
        self.fetcher = fetcher
        self.cache = fetcher.cache
        self.recipes = {}
        self.keys = {}

    @cached_property
    def compiler(self):
        return subprocess.run(
            ["gcc", "--version"], capture_output=True, text=True, check=True
        ).stdout.splitlines()[0]

    def recipe(self, name):
        if name not in self.recipes:
            self.recipes[name] = recipe.load(name, self.root)
        return self.recipes[name]

    def target_of(self, name, target):
        targets = self.recipe(name).targets
        if target in targets:
            return target
        if "any" in targets:
            return "any"
        raise Fail(name, f"its recipe does not build for {target}", "choose another target")

    def needs(self, name, target):
        """What stands in the sysroot of a build, each package after those that it needs."""
        target = self.target_of(name, target)
        direct = self.recipe(name).needs + [
            t for t in TOOLCHAIN[target] if name not in TOOLCHAIN[target]
        ]
        found = []
        for need in direct:
            found += [n for n in self.needs(need, target) + [need] if n not in found]
        return found

    def key(self, name, target):
        target = self.target_of(name, target)
        if (name, target) not in self.keys:
            h = hashlib.sha256()
            for part in self._key_parts(name, target):
                h.update(len(part).to_bytes(8, "little") + part)
            self.keys[name, target] = h.hexdigest()[:20]
        return self.keys[name, target]

    def _key_parts(self, name, target):
        r = self.recipe(name)
        yield f"{FORMAT} {target} {self.compiler}".encode()
        for file in sorted(p for p in (self.root / name).rglob("*") if p.is_file()):
            yield str(file.relative_to(self.root)).encode()
            yield file.read_bytes()
        for pin in self.fetcher.pins:
            if pin.set == name:
                yield pin.sha256.encode()
        for given in r.inputs:
            for file in sorted(_given(self.root / given)):
                yield file.name.encode()
                yield file.read_bytes()
        for need in self.needs(name, target):
            yield self.key(need, target).encode()

    def place(self, name, target):
        target = self.target_of(name, target)
        return self.cache / "pkg" / f"{name}-{target}-{self.key(name, target)}"

    def build(self, name, target):
        """Returns the folder of the package, built now if it was not."""
        place, target = self.place(name, target), self.target_of(name, target)
        if place.exists():
            return place
        for need in self.needs(name, target):
            self.build(need, target)
        with locked(self.cache / "lock" / f"build-{name}-{target}"):
            if not place.exists():
                self._build(name, target, place)
        return place

    def _build(self, name, target, place):
        work = self.cache / "build" / f"{name}-{target}"
        shutil.rmtree(work, ignore_errors=True)
        for folder in ("out", "home", "tools", "inputs"):
            (work / folder).mkdir(parents=True)
        r = self.recipe(name)
        self._copy_recipe(r, work)
        version = self._bring_source(r, work)
        needs = [self.build(need, target) for need in self.needs(name, target)]
        sysroot.merge(needs, work / "sysroot")
        _write_cc(work, target)
        say(f"building {name} {version} for {target}")
        took = self._run(name, target, work, version)
        place.parent.mkdir(exist_ok=True)
        (work / "out").rename(place)
        shutil.rmtree(work, ignore_errors=True)
        say(f"built {name} {version} for {target} in {took:.0f} s")

    def _copy_recipe(self, r, work):
        """What a build reads is what its key was made of, whoever edits the recipe meanwhile."""
        shutil.copytree(self.root / r.name, work / "recipe")
        for given in r.inputs:
            for file in _given(self.root / given):
                shutil.copy(file, work / "inputs")

    def _bring_source(self, r, work):
        if r.source:
            source.unpack(self.fetcher.source(r.name), work / "src", r.patches)
        else:
            (work / "src").mkdir()
        if r.closure:
            (work / "debs").symlink_to(self.fetcher.unpacked_set(r.name))
        main = [
            pin
            for pin in self.fetcher.pins
            if pin.set == r.name and (pin.kind == "dsc" or pin.name == r.name)
        ]
        return main[0].version if main else "-"

    def _run(self, name, target, work, version):
        log = self.cache / "log" / f"{name}-{target}.log"
        log.parent.mkdir(exist_ok=True)
        env = {
            "PATH": f"{work}/tools:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(work / "home"),
            "LC_ALL": "C",
            "TZ": "UTC",
            "SOURCE_DATE_EPOCH": EPOCH,
            "KCONFIG_NOTIMESTAMP": "1",
            "VERSION": version,
            "TARGET": target,
            "RECIPE": str(work / "recipe"),
            "INPUTS": str(work / "inputs"),
            "SRC": str(work / "src"),
            "OUT": str(work / "out"),
            "DEBS": str(work / "debs"),
            "SYSROOT": str(work / "sysroot"),
            "GOCACHE": str(self.cache / "go-cache"),
            "JOBS": os.environ.get("CORACLE_JOBS") or str(os.cpu_count()),
            "CC": "cc",
            "CFLAGS": "-O2 -g",
            "PKG_CONFIG_LIBDIR": str(work / "sysroot/lib/pkgconfig"),
        }
        start = time.monotonic()
        with open(log, "wb") as out:
            child = subprocess.Popen(
                ["sh", work / "recipe/build"],
                cwd=work / "src",
                env=env,
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )
            while True:
                try:
                    status = child.wait(TICK_S)
                    break
                except subprocess.TimeoutExpired:
                    say(f"still building {name} for {target}, {time.monotonic() - start:.0f} s")
        if status:
            tail = log.read_text(errors="replace").splitlines()[-25:]
            raise Fail(
                f"{name} for {target}",
                "the build failed:\n  " + "\n  ".join(tail) + "\n",
                f"the whole log is {log}",
            )
        return time.monotonic() - start


def _write_cc(work, target):
    """The compiler as builds see it: knows the sysroot, leaves no path of the cache behind."""
    gcc = {"host": "gcc", "any": "gcc", "musl": f"{work}/sysroot/bin/musl-gcc"}[target]
    path = work / "tools/cc"
    if target == "musl" and not (work / "sysroot/bin/musl-gcc").exists():
        gcc = "gcc"
    path.write_text(
        f'#!/bin/sh\nexec {gcc} -ffile-prefix-map={work}=. -isystem {work}/sysroot/include "$@"'
        f" -L{work}/sysroot/lib\n"
    )
    path.chmod(0o755)


def _given(path):
    """The files that one of a recipe's `inputs` names: a pattern in a folder."""
    found = list(path.parent.glob(path.name))
    if not found:
        raise Fail(str(path), "no such input", "correct the recipe")
    return found


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--target", choices=recipe.TARGETS, required=True)
    parser.add_argument(
        "--sysroot", type=Path, help="merge the packages, and what they need, into this folder"
    )
    parser.add_argument("--print", action="store_true", help="print the folder of each package")
    parser.add_argument("--root", type=Path, default=recipe.HERE)
    parser.add_argument("names", nargs="+")
    args = parser.parse_args()
    root = args.root.resolve()
    builder = Builder(root, Fetcher(root))
    places = []
    for name in args.names:
        for each in builder.needs(name, args.target) + [name]:
            place = builder.build(each, args.target)
            if place not in places:
                places.append(place)
        if args.print:
            print(builder.place(name, args.target))
    if args.sysroot:
        sysroot.refresh(places, args.sysroot)


if __name__ == "__main__":
    run(main)
