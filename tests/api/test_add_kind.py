"""The recipe of services/README.md, "How to add a kind", followed in a copy of the tree."""
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


def recipe():
    """File name and text of the schema that the README shows."""
    section = (ROOT / "services/README.md").read_text().split("## How to add a kind")[1].split("\n## ")[0]
    name = re.search(r"`lib/api/schema/(\w+\.schema)`", section)[1]
    block = re.search(r"\n\n(\t\tgroup .*?)\n\n(?=\d\.)", section, re.S)[1]
    return name, "".join(line.removeprefix("\t\t") + "\n" for line in block.split("\n"))


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """The sources, linked to what is built already, with the new file in place and made."""
    tree = tmp_path_factory.mktemp("tree")
    shutil.copytree(ROOT / "services", tree / "services")
    shutil.copy(ROOT / "Makefile", tree)
    for name in ("rootfs", "image"):
        (tree / name).symlink_to(ROOT / name)
    (tree / "out").mkdir()
    (tree / "out/sysroot").symlink_to(ROOT / "out/sysroot")
    name, text = recipe()
    (tree / "services/lib/api/schema" / name).write_text(text)
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    subprocess.run(["make", "-j2", "-o", "out/sysroot/host/.built", "out/dev/bin/object_tool"], cwd=tree, check=True,
                   env=environment, stdout=subprocess.DEVNULL)
    return tree


def convert(tree, text, *options):
    run = subprocess.run([tree / "out/dev/bin/object_tool", *options], input=text, capture_output=True, check=True)
    return run.stdout


def test_header_is_plain_c(tree):
    header = (tree / "out/gen/api/example_v1.h").read_text()
    assert "struct boat {" in header and "int32_t *paddles;" in header


def test_round_trip(tree):
    boat = {"kind": "Boat", "apiVersion": "example.io/v1", "metadata": {"name": "a"},
            "spec": {"paddles": 2, "crew": ["x", "y"]}}
    text = json.dumps(boat, separators=(",", ":")).encode()
    proto = convert(tree, text, "--to", "pb")
    assert proto.startswith(b"k8s\0") and convert(tree, proto) == text


def test_default(tree):
    text = b'{"kind":"Boat","apiVersion":"example.io/v1","spec":{}}'
    assert json.loads(convert(tree, text, "--default"))["spec"] == {"paddles": 1}


def test_an_error_names_file_and_line(tree):
    name, text = recipe()
    (tree / "bad.schema").write_text(text.replace("crew 2 []string", "crew 1 []string"))
    run = subprocess.run([tree / "out/schema_gen", tree / "out", tree / "bad.schema"], capture_output=True, text=True)
    line = text.split("\n").index("\tcrew 2 []string omitempty list=set") + 1
    assert run.returncode == 1
    assert run.stderr == f"{tree}/bad.schema:{line}: crew has the number of paddles\n"
