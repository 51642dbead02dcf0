"""What the imager makes: sizes, contents, and that the same tree makes the same bytes."""
import os
import re
import subprocess

import layout
import pytest
from paths import ROOT
from imager import BUDGETS_MIB, build_time

MADE = ("vmlinuz", "initrd", "root.squashfs", "coracle.iso", "coracle.img", "pxe/initrd")


def test_sizes_are_within_their_budgets(images):
    for name, budget_mib in BUDGETS_MIB.items():
        assert (images / name).stat().st_size <= budget_mib * 2**20, name


def test_the_root_holds_what_the_list_says_and_no_shell(images):
    listed = [line.split() for line in (ROOT / "rootfs/files").read_text().splitlines() if not line.startswith("#")]
    done = subprocess.run(["unsquashfs", "-lln", images / "root.squashfs"], capture_output=True, text=True, check=True)
    found = {}
    for line in done.stdout.splitlines():
        if row := re.match(r"([dl-])(\S{9}) (\d+/\d+) .*? squashfs-root(/\S*)", line):
            found[row[4]] = row
    for path, mode, _, source in listed:
        assert path in found, path
        assert mode == "-" or number(found[path][2]) == int(mode, 8), path
        assert found[path][1] == {"link": "l", "dir": "d", "tree": "d"}.get(source.split(":")[0], "-"), path
    assert not {"/usr/bin/sh", "/usr/bin/ash", "/usr/bin/bash"} & set(found)


def number(text):
    """rwxr-xr-t as a number."""
    bits = sum(1 << (8 - at) for at, letter in enumerate(text) if letter not in "-ST")
    return bits | (0o1000 if text[8] in "tT" else 0)


def test_partitions_are_whole_and_in_order(images):
    done = subprocess.run(["sfdisk", "--dump", images / "coracle.img"], capture_output=True, text=True, check=True)
    rows = re.findall(r'start= *(\d+), size= *(\d+), .*name="([^"]+)"', done.stdout)
    assert [(int(start), int(size), name) for start, size, name in rows] == [
        (part.first, part.last - part.first + 1, part.name) for part in layout.partitions()]
    verified = subprocess.run(["sfdisk", "--verify", images / "coracle.img"], capture_output=True, text=True)
    assert "No errors detected" in verified.stdout, verified.stdout + verified.stderr


@pytest.mark.long
def test_the_same_tree_elsewhere_makes_the_same_bytes(images, tmp_path):
    names = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True)
    there = [name for name in names.stdout.split(b"\0") if name and os.path.lexists(os.path.join(os.fsencode(ROOT), name))]
    other = tmp_path / "elsewhere"
    other.mkdir()
    packed = subprocess.run(["tar", "-c", "--null", "-T", "-"], cwd=ROOT, input=b"\0".join(there), capture_output=True,
                            check=True)
    subprocess.run(["tar", "-x"], cwd=other, input=packed.stdout, check=True)
    subprocess.run(["make", "-j2", "image"], cwd=other, check=True, capture_output=True,
                   env={**os.environ, "SOURCE_DATE_EPOCH": str(build_time())})
    for name in MADE:
        subprocess.run(["cmp", images / name, other / "out/image" / name], check=True)
