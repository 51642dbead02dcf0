"""The objects that upstream ships, and a program of ours that converts them."""
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="session")
def upstream():
    """Debian's package of k8s.io/api, unpacked."""
    folder = ROOT / "out/test/golang-k8s-api-dev"
    subprocess.run([ROOT / "rootfs/packages/fetch.py", "debs", "--class", "test", "golang-k8s-api-dev",
                    "--unpack", folder], check=True)
    return folder / "usr/share/gocode/src/k8s.io/api"


@pytest.fixture(scope="session")
def object_tool():
    program = ROOT / "out/dev/bin/object_tool"
    assert program.exists(), "run `make` first"
    return program
