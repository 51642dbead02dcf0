"""The lock file: one pin a line, blank separated, sorted; '#' starts a comment line.

A pin names one file of the archive pool. A `deb` is a binary package; a `dsc` is a source package's
description, whose own checksums pin the tarballs beside it. A `set` is what is fetched together: a
recipe's name, or a set of `wanted`.
"""

import re
from dataclasses import astuple, dataclass, fields

from fail import Fail


@dataclass(frozen=True, order=True)
class Pin:
    kind: str
    set: str
    name: str
    version: str
    suite: str
    klass: str
    size: int
    sha256: str
    path: str


KINDS = ("deb", "dsc")
CLASSES = ("image", "test")
SHA256 = re.compile(r"[0-9a-f]{64}")
POOL = re.compile(r"pool/[A-Za-z0-9.+~_:/-]+")
HEADER = (
    "# Written by `make relock`: every file that the build takes from Debian.\n"
    "# kind set name version suite class size sha256 path\n"
)


def parse(text, origin):
    pins, seen = [], {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        pin = _parse_line(line, f"{origin}:{number}")
        key = (pin.kind, pin.set, pin.name)
        if key in seen:
            raise Fail(
                f"{origin}:{number}",
                f"{pin.name} is pinned in line {seen[key]} already",
                "run `make relock`",
            )
        seen[key] = number
        pins.append(pin)
    return pins


def _parse_line(line, where):
    words = line.split()
    if len(words) != len(fields(Pin)):
        raise Fail(where, f"{len(words)} fields instead of {len(fields(Pin))}", "run `make relock`")
    wrong = None
    if words[0] not in KINDS:
        wrong = f"unknown kind {words[0]}"
    elif words[5] not in CLASSES:
        wrong = f"unknown class {words[5]}"
    elif not words[6].isascii() or not words[6].isdigit():
        wrong = f"size {words[6]} is no number"
    elif not SHA256.fullmatch(words[7]):
        wrong = f"{words[7]} is no sha256"
    elif not POOL.fullmatch(words[8]) or ".." in words[8].split("/"):
        wrong = f"{words[8]} is no path in the pool"
    if wrong:
        raise Fail(where, wrong, "run `make relock`")
    words[6] = int(words[6])
    return Pin(*words)


def read(path):
    try:
        text = path.read_text()
    except FileNotFoundError:
        raise Fail(str(path), "there is no lock file", "run `make relock`") from None
    return parse(text, path.name)


def write(path, pins):
    lines = [" ".join(str(word) for word in astuple(pin)) + "\n" for pin in sorted(pins)]
    partial = path.with_suffix(".partial")
    partial.write_text(HEADER + "".join(lines))
    partial.replace(path)
