"""Virtual machines for the tests. `images` is what `make image` makes; `machine` is one that many files share: direct
boot with a state disk and a shell inside, its control plane ready. What takes long is marked so and runs with
CORACLE_LONG=1, as `make test-long` sets it.
`make run-dev` names a machine that runs already in CORACLE_MACHINE."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "image"), str(Path(__file__).resolve().parent)]

from machine_options import Options  # noqa: E402
from run import state_disk  # noqa: E402
from vm import Machine  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "long: runs in make test-long alone")


def pytest_collection_modifyitems(items):
    if not os.environ.get("CORACLE_LONG"):
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(pytest.mark.skip(reason="long: make test-long"))


@pytest.fixture(scope="session")
def images():
    subprocess.run(["make", "--no-print-directory", "image"], cwd=ROOT, check=True)
    return ROOT / "out/image"


@pytest.fixture(scope="session")
def machine(request, tmp_path_factory):
    if there := os.environ.get("CORACLE_MACHINE"):
        machine = Machine(there)
        assert machine.attach(), f"no machine runs in {there}"
        yield machine
        return
    request.getfixturevalue("images")
    folder = tmp_path_factory.mktemp("machine")
    with Machine(folder, Options(state=state_disk(folder / "state.img"), agent=True)) as machine:
        yield machine.wait_ready()
