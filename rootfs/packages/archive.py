"""Debian's archive through apt, in an apt root of our own: the machine's apt keeps its suites.

apt checks the signatures and carries the downloads; here stands only what it is asked. forky and
sid may be a frozen copy whose Release has run out, so their Valid-Until is not looked at: the lock
file's sha256 is what guards against a replay.
"""

import hashlib
import os
import re
import subprocess
import urllib.parse
from functools import cmp_to_key
from pathlib import Path

from fail import Fail, say
from store import locked

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
HELPER = "/usr/lib/apt/apt-helper"
SUITES = {
    "bookworm": ("deb-src", "yes"),
    "trixie": ("deb deb-src", "yes"),
    "forky": ("deb deb-src", "no"),
    "sid": ("deb deb-src", "no"),
}
BINARY_SUITES = [suite for suite, (types, _) in SUITES.items() if types != "deb-src"]
CARRIED_OVER = ("Acquire::http", "Acquire::https", "Acquire::Retries")


def mirror_address():
    """The Debian mirror that this machine's own apt uses."""
    asked = os.environ.get("CORACLE_MIRROR")
    if asked:
        return asked.rstrip("/")
    done = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(SITE)"], capture_output=True, text=True
    )
    sites = [site.rstrip("/") for site in dict.fromkeys(done.stdout.split())]
    for site in sites:
        if site.endswith("/debian"):
            return site
    raise Fail(
        "Debian mirror",
        "this machine's apt names none whose address ends in /debian",
        "set CORACLE_MIRROR to one",
    )


class Archive:
    def __init__(self, cache):
        self.mirror = mirror_address()
        self.keyring = os.environ.get("CORACLE_KEYRING") or KEYRING
        name = hashlib.sha256(f"{self.mirror} {self.keyring}".encode()).hexdigest()[:12]
        self.root = cache / "apt" / name
        self.config = self.root / "apt.conf"
        self.lock = cache / "lock" / f"apt-{name}"
        self.updated = False
        self.stanzas = {}
        self._prepare()

    # Talking to apt.

    def _prepare(self):
        with locked(self.lock):
            for folder in (
                "state/lists/partial",
                "cache/archives/partial",
                "etc/sources.list.d",
                "etc/preferences.d",
                "etc/apt.conf.d",
                "etc/trusted.gpg.d",
            ):
                (self.root / folder).mkdir(parents=True, exist_ok=True)
            (self.root / "status").touch()
            _write_once(self.root / "etc/sources.list.d/debian.sources", self._sources())
            _write_once(self.config, self._apt_conf())

    def _sources(self):
        return "\n".join(
            f"Types: {types}\nURIs: {self.mirror}\nSuites: {suite}\nComponents: main\n"
            f"Check-Valid-Until: {check}\nSigned-By: {self.keyring}\n"
            for suite, (types, check) in SUITES.items()
        )

    def _apt_conf(self):
        dump = subprocess.run(
            ["apt-config", "dump"], capture_output=True, text=True, check=True
        ).stdout
        kept = [line for line in dump.splitlines() if line.startswith(CARRIED_OVER)]
        return "\n".join(
            kept
            + [
                f'Dir "{self.root}";',
                'Dir::State "state";',
                f'Dir::State::status "{self.root}/status";',
                'Dir::Cache "cache";',
                'Dir::Etc "etc";',
                'APT::Sandbox::User "root";',
                'APT::Architecture "amd64";',
                'APT::Architectures { "amd64"; };',
                'APT::Install-Recommends "false";',
                'Acquire::Languages "none";',
                'Acquire::GzipIndexes "false";',
                'Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";',
                "",
            ]
        )

    def _apt(self, *words):
        env = dict(os.environ, APT_CONFIG=str(self.config), LC_ALL="C.UTF-8")
        return subprocess.run(
            words, capture_output=True, text=True, env=env, stdin=subprocess.DEVNULL
        )

    def update(self):
        """Reads the suites' indexes anew, at most once a process."""
        if self.updated:
            return
        say(f"reading the package lists of {', '.join(SUITES)} (some 60 MB)")
        with locked(self.lock):
            done = self._apt("apt-get", "update", "-qq", "--error-on=any")
        if done.returncode:
            raise Fail(
                "package lists",
                done.stderr.strip() or "apt-get update failed",
                "check the network and try again",
            )
        self.updated = True
        self.stanzas.clear()

    def has_lists(self):
        return any((self.root / "state/lists").glob("*_Packages"))

    def download(self, wanted):
        """Downloads [(pool path, target)]; returns apt's words, for says_not_found."""
        words = []
        for path, target in wanted:
            words += [f"{self.mirror}/{urllib.parse.quote(path)}", str(target)]
        done = self._apt(HELPER, "download-file", *words)
        return done.stdout + done.stderr

    def says_not_found(self, log, path):
        """Whether `log`, what download said, names `path` as one that the mirror does not have."""
        uris = re.findall(r"Failed to fetch (\S+)\s+404\b", log)
        return any(urllib.parse.unquote(uri) == f"{self.mirror}/{path}" for uri in uris)

    # Reading the indexes that apt has checked.

    def _index(self, created_by, suite):
        done = self._apt(
            "apt-get",
            "indextargets",
            "--format",
            "$(FILENAME)",
            f"Created-By: {created_by}",
            f"Codename: {suite}",
        )
        files = [Path(name) for name in done.stdout.split()]
        if not files or not all(file.exists() for file in files):
            raise Fail(
                f"suite {suite}", f"apt has no {created_by} index of it", "run `make relock`"
            )
        return files

    def _all(self, created_by, suite):
        """{package name: [its stanzas as dicts]}, of one index."""
        key = (created_by, suite)
        if key not in self.stanzas:
            found = {}
            for file in self._index(created_by, suite):
                for text in file.read_text().split("\n\n"):
                    name = text[len("Package: ") : text.find("\n")]
                    found.setdefault(name, []).append(text)
            self.stanzas[key] = found
        return self.stanzas[key]

    def debs(self, name, suite):
        """The versions of a binary package, newest first: [(version, size, sha256, pool path)]."""
        found = []
        for text in self._all("Packages", suite).get(name, []):
            f = _fields(text)
            found.append((f["Version"], int(f["Size"]), f["SHA256"], f["Filename"]))
        return _newest_first(found)

    def sources(self, name, suite):
        """The versions of a source package as debs() gives them; the file is the .dsc."""
        found = []
        for text in self._all("Sources", suite).get(name, []):
            f = _fields(text)
            for line in f["Checksums-Sha256"].splitlines():
                words = line.split()
                if words and words[2].endswith(".dsc"):
                    found.append(
                        (f["Version"], int(words[1]), words[0], f"{f['Directory']}/{words[2]}")
                    )
        return _newest_first(found)

    def build_depends(self, name, version, suite):
        for text in self._all("Sources", suite).get(name, []):
            f = _fields(text)
            if f["Version"] == version:
                return ", ".join(
                    f.get(k, "")
                    for k in ("Build-Depends", "Build-Depends-Arch", "Build-Depends-Indep")
                )
        return ""

    def closure(self, names, suite):
        """What apt would install for `names` on a machine that has nothing: [(name, pool path)]."""
        done = self._apt("apt-get", "install", "--print-uris", "-qq", "-t", suite, *names)
        if done.returncode:
            raise Fail(
                f"{' '.join(names)} of {suite}",
                done.stderr.strip(),
                "correct the names in `wanted`",
            )
        paths = []
        for line in done.stdout.splitlines():
            uri = line.split("'")[1]
            path = urllib.parse.unquote(uri.removeprefix(self.mirror + "/"))
            paths.append((os.path.basename(path).split("_")[0], path))
        return paths


def _write_once(path, text):
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def _fields(stanza):
    found, last = {}, None
    for line in stanza.splitlines():
        if line.startswith((" ", "\t")):
            found[last] += "\n" + line
        elif ":" in line:
            last, value = line.split(":", 1)
            found[last] = value.strip()
    return found


def _newer(one, other):
    if one[0] == other[0]:
        return 0
    return (
        -1
        if subprocess.run(["dpkg", "--compare-versions", one[0], "gt", other[0]]).returncode == 0
        else 1
    )


def _newest_first(found):
    return sorted(found, key=cmp_to_key(_newer))
