"""Other people's clients, unchanged."""
import os
import shutil
import subprocess

import pytest
from cluster import ROOT


@pytest.fixture(scope="session")
def javascript(tmp_path_factory):
    """A folder with the program and what its lock file pins, brought by npm."""
    folder = tmp_path_factory.mktemp("javascript")
    for path in (ROOT / "tests/clients/javascript").iterdir():
        shutil.copy(path, folder)
    cache = {**os.environ, "npm_config_cache": str(ROOT / "out/npm")}
    done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"], cwd=folder,
                          env=cache, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def go_client():
    out = ROOT / "out/test/informers"
    subprocess.run([ROOT / "rootfs/packages/go-build", ROOT / "tests/clients/informers", out], check=True)
    return out
