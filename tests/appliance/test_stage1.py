"""Stage 1 waits for the medium it was built for, and says what it has seen meanwhile."""
import subprocess

import pytest
from machine_options import Options
from vm import Machine

STARTED = r"coracle: control plane Ready|starting /sbin/init"


@pytest.fixture
def other_build(tmp_path):
    """A root image that is not this build's."""
    (tmp_path / "root/etc").mkdir(parents=True)
    (tmp_path / "root/etc/coracle-release").write_text("BUILD=other\n")
    subprocess.run(["mksquashfs", tmp_path / "root", tmp_path / "other.squashfs", "-quiet", "-comp", "zstd"],
                   check=True, capture_output=True)
    return tmp_path / "other.squashfs"


def test_a_late_medium_starts_the_system(images, tmp_path, other_build):
    """Neither another build's root nor an empty disk is taken; the root is, whenever it is plugged in."""
    empty = tmp_path / "empty"
    empty.write_bytes(bytes(1 << 20))
    with Machine(tmp_path / "vm", Options(method="none", disks=(("other", other_build), ("empty", empty)))) as machine:
        machine.wait_serial("^coracle: still waiting", 40)
        said = machine.serial()
        assert "vda: a root image of another build" in said
        assert "vdb: neither a root image nor an ISO 9660 volume" in said
        machine.command("blockdev-add", **{"driver": "raw", "node-name": "late", "read-only": True, "file": {
            "driver": "file", "filename": str(images / "root.squashfs"), "read-only": True}})
        machine.command("device_add", driver="virtio-blk-pci", drive="late", bus="spare", id="late")
        machine.wait_serial(STARTED, 60)


def test_a_named_root_is_taken_whatever_its_build(images, tmp_path, other_build):
    options = Options(method="none", cmdline="coracle.root=/dev/vda", disks=(("other", other_build),))
    with Machine(tmp_path / "vm", options) as machine:
        machine.wait_serial("cannot start: moving /dev into the root", 40)
