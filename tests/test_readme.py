"""Every command of the README works as it stands there."""
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def commands():
    """The indented lines, comments cut off, a line that ends with a pipe joined to the next."""
    lines = re.findall(r"^\t(.*)$", (ROOT / "README.md").read_text(), re.M)
    text = re.sub(r"\|\n\s*", "| ", "\n".join(lines))
    return [re.sub(r"\s+#.*", "", line) for line in text.split("\n")]


@pytest.mark.parametrize("command", commands())
def test_command_works(command):
    if command == "make test":  # what this very run is part of
        assert "exec make test" in (ROOT / ".ci/run").read_text()
        return
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() or command == "make deps"


def test_help_lists_every_entry_point():
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = {line.split()[0] for line in done.stdout.splitlines()}
    assert {"deps", "test", "test-long", "lint", "format", "fuzz", "bench", "relock", "clean"} <= listed
