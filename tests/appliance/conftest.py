"""Virtual machines for the tests. `images` is what `make image` makes, made when it is not there."""
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "image"), str(Path(__file__).resolve().parent)]


@pytest.fixture(scope="session")
def images():
    subprocess.run(["make", "--no-print-directory", "image"], cwd=ROOT, check=True)
    return ROOT / "out/image"
