import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from mirror import Mirror

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGES = CHECKOUT / "rootfs/packages"
sys.path.insert(0, str(PACKAGES))


@pytest.fixture
def folder():
    parent = CHECKOUT / "out/tests"
    parent.mkdir(parents=True, exist_ok=True)
    path = Path(tempfile.mkdtemp(prefix="packages-", dir=parent))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def mirror(folder):
    made = Mirror(folder)
    yield made
    made.close()


class Shell:
    """Runs the programs with a recipe root, a cache and a mirror of their own."""

    def __init__(self, folder, mirror=None):
        self.root = folder / "root"
        self.root.mkdir()
        self.env = dict(
            os.environ, XDG_CACHE_HOME=str(folder / "cache"), PYTHONDONTWRITEBYTECODE="1"
        )
        if mirror:
            self.env.update(CORACLE_MIRROR=mirror.address, CORACLE_KEYRING=str(mirror.keyring))

    def start(self, program, *words):
        return subprocess.Popen(
            [PACKAGES / program, "--root", self.root, *words],
            env=self.env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, program, *words):
        child = self.start(program, *words)
        child.out, child.err = child.communicate()
        return child

    def ok(self, program, *words):
        child = self.run(program, *words)
        assert child.returncode == 0, child.err
        return child

    def recipe(self, name, build, recipe="targets: host\n"):
        (self.root / name).mkdir(exist_ok=True)
        (self.root / name / "recipe").write_text(recipe)
        (self.root / name / "build").write_text("set -eu\n" + build)
        if not (self.root / "packages.lock").exists():
            (self.root / "packages.lock").write_text("")


@pytest.fixture
def shell(folder):
    return Shell(folder)


@pytest.fixture
def archive_shell(folder, mirror):
    return Shell(folder, mirror)
