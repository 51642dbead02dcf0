"""Writes the lock file anew: the newest version of everything that recipes and `wanted` ask for."""

import os
import re

import pins
import recipe
from archive import BINARY_SUITES
from fail import Fail, say


def relock(archive, store, root):
    archive.update()
    found, absent = [], []
    for r in recipe.load_all(root):
        pin = _source_pin(archive, store, r) if r.source else None
        if pin:
            found.append(pin)
        elif r.source:
            absent.append(f"{r.source[0]} in {r.source[1]}")
        if r.closure:
            found += _closure_pins(archive, _recipe_closure(archive, r, pin))
    if absent:
        raise Fail(
            ", ".join(absent),
            "the archive does not have the source",
            "choose another suite in the recipe",
        )
    for closure in recipe.wanted(root / "wanted"):
        found += _closure_pins(archive, closure)
    lock = root / "packages.lock"
    before = set(pins.read(lock)) if lock.exists() else set()
    pins.write(lock, found)
    _tell_changes(before, set(found))


def _source_pin(archive, store, r):
    name, suite = r.source
    versions = archive.sources(name, suite)
    if not versions:
        raise Fail(f"{r.name}/recipe", f"{suite} has no source package {name}", "correct `source`")
    for version, size, sha256, path in versions:
        pin = pins.Pin("dsc", r.name, name, version, suite, r.klass, size, sha256, path)
        if not store.fetch([pin]):
            return pin
        say(f"the archive lists {name} {version} of {suite} but does not have it")
    return None


def _recipe_closure(archive, r, source):
    suite, prefixes, *names = r.closure
    if "@build-depends" in names:
        names.remove("@build-depends")
        names += [
            n
            for n in _alternatives(archive.build_depends(source.name, source.version, source.suite))
            if _kept(n, prefixes) and archive.debs(n, suite)
        ]
    return recipe.Closure(r.klass, r.name, suite, prefixes, names)


def _alternatives(depends):
    for group in depends.split(","):
        word = re.match(r"\s*([a-z0-9.+-]+)", group)
        if word and "!amd64" not in group:
            yield word[1]


def _closure_pins(archive, closure):
    names = archive.closure(closure.names, closure.suite)
    return [_deb_pin(archive, closure, n, path) for n, path in names if _kept(n, closure.prefixes)]


def _kept(name, prefixes):
    return prefixes == "*" or name.startswith(tuple(prefixes.split(",")))


def _deb_pin(archive, closure, name, path):
    for suite in sorted(BINARY_SUITES, key=lambda other: other != closure.suite):
        for version, size, sha256, at in archive.debs(name, suite):
            if at == path:
                return pins.Pin(
                    "deb", closure.set, name, version, suite, closure.klass, size, sha256, at
                )
    raise Fail(os.path.basename(path), "apt chose it, but no suite's index has it", "try again")


def _tell_changes(before, after):
    old = {(p.kind, p.set, p.name): p.version for p in before}
    new = {(p.kind, p.set, p.name): p.version for p in after}
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key):
            say(f"{key[1]}: {key[2]} {old.get(key, '(new)')} -> {new.get(key, '(gone)')}")
    say(f"{len(after)} pins in packages.lock")
