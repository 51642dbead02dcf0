"""The cache, and in it the store of downloads: `dl/<sha256>-<name>`, a name got by that sha256.

Checkouts and parallel builds share the cache; a lock file guards each piece of work, and a finished
thing appears by rename.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from fail import Fail, say

BATCH = 40


def cache_dir():
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(
        os.environ.get("HOME", "/root"), ".cache"
    )
    path = Path(home) / "coracle"
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextlib.contextmanager
def locked(path):
    """Holds the lock file `path`; says so when it has to wait."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another build that holds {path.name}")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def scratch(parent):
    """A temporary folder beside the final place, so that a rename is atomic; gone afterwards."""
    parent.mkdir(parents=True, exist_ok=True)
    path = Path(tempfile.mkdtemp(prefix=".partial-", dir=parent))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def sha256_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Store:
    def __init__(self, cache, archive):
        self.root = cache / "dl"
        self.lock = cache / "lock" / "dl"
        self.archive = archive  # called when a download is needed: a full cache asks nothing of apt

    def place(self, pin):
        return self.root / f"{pin.sha256}-{os.path.basename(pin.path)}"

    def fetch(self, pins):
        """Brings the pins that the archive still has to the store; returns those that vanished."""
        missing = [pin for pin in pins if not self.place(pin).exists()]
        if not missing:
            return []
        with locked(self.lock):
            missing = [pin for pin in missing if not self.place(pin).exists()]
            vanished = []
            for start in range(0, len(missing), BATCH):
                batch = missing[start : start + BATCH]
                say(f"downloading {_names(batch)} ({start + len(batch)} of {len(missing)})")
                vanished += self._download(batch)
            return vanished

    def _download(self, pins):
        vanished, archive = [], self.archive()
        with scratch(self.root) as folder:
            wanted = {folder / str(i): pin for i, pin in enumerate(pins)}
            log = archive.download([(pin.path, target) for target, pin in wanted.items()])
            for target, pin in wanted.items():
                if not target.exists():
                    if not archive.says_not_found(log, pin.path):
                        raise Fail(
                            pin.path,
                            f"the download failed: {_last_error(log)}",
                            "check the network and try again",
                        )
                    vanished.append(pin)
                elif sha256_of(target) != pin.sha256:
                    raise Fail(
                        pin.path,
                        f"it is not what {pin.name} {pin.version} is pinned to (sha256 differs)",
                        "try again; if it stays so, the mirror is wrong, or run `make relock`"
                        " and look at the change",
                    )
                else:
                    target.chmod(0o644)
                    target.rename(self.place(pin))
        return vanished


def unpack_debs(files, target):
    """Unpacks debs over each other into the new folder `target`, which appears whole or not."""
    with scratch(target.parent) as folder:
        tree = folder / "tree"
        tree.mkdir()
        for file in files:
            done = subprocess.run(["dpkg-deb", "-x", file, tree], capture_output=True, text=True)
            if done.returncode:
                raise Fail(
                    str(file), f"dpkg-deb: {done.stderr.strip()}", "remove the file and try again"
                )
        tree.chmod(0o755)
        tree.rename(target)


def _names(pins):
    names = [pin.name for pin in pins]
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _last_error(log):
    lines = [line.strip() for line in log.splitlines() if line.startswith("E: ")]
    return lines[0][3:] if lines else log.strip()[-300:] or "no reason given"
