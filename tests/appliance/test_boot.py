"""Every way to start the appliance ends with a control plane that is ready."""
import re
import subprocess

import appliance_api
import grub
import layout
import pytest
from paths import ROOT
from imager import Imager, build_time
from machine_options import METHODS, Options
from run import state_disk
from vm import Machine

DOWN = b"\x0e"  # ctrl-n


def test_direct_boot_with_a_state_disk(machine):
    assert appliance_api.get(machine, "/readyz") == (200, "ok")
    assert "how=squashfs" in machine.shell("cat /run/coracle/boot")[1]
    assert machine.shell("grep ' /var/lib/etcd ' /proc/mounts")[1].startswith("/dev/vd")


@pytest.mark.long
@pytest.mark.parametrize("method", [name for name in METHODS if name not in ("none", "direct")])
def test_boot_method(images, tmp_path, method):
    with Machine(tmp_path / "vm", Options(method=method, memory_mib=512)) as machine:
        machine.wait_ready()
        assert appliance_api.get(machine, "/readyz") == (200, "ok")
        assert ("the state is in RAM" in machine.serial()) == (not method.startswith("disk"))


@pytest.mark.long
def test_the_menu_sets_the_role(images, tmp_path):
    with Machine(tmp_path / "vm", Options(method="iso-bios")) as machine:
        machine.wait_serial("Turn off", 60)
        machine.type(DOWN * 2 + b"\r", b"the root image is on", 90)
        machine.wait_ready()
        assert re.search(r"role master\s*$", machine.serial(), re.M)


@pytest.mark.long
@pytest.mark.parametrize("method", ["disk-bios", "disk-uefi"])
def test_a_trial_slot_is_started_once(images, tmp_path, method):
    """Slot B has another build of the same tree; `trial` names it for one start, then `slot` counts again."""
    later = Imager(tmp_path / "later", ROOT / "out/musl/bin", build_time() + 1).iso
    disk = tmp_path / "coracle.img"
    subprocess.run(["cp", "--sparse=always", images / "coracle.img", disk], check=True)
    places = {part.name: part.first * layout.SECTOR for part in layout.partitions()}
    with open(disk, "r+b") as file:
        file.seek(places["CORACLE-SYSTEM-B"])
        file.write(later.read_bytes())
    (tmp_path / "grubenv").write_bytes(grub.environment(slot="A", trial="B"))
    subprocess.run(["mcopy", "-o", "-i", f"{disk}@@{places['CORACLE-ESP']}", tmp_path / "grubenv", "::grub/grubenv"],
                   check=True)
    for device in ("vda4", "vda3"):
        with Machine(tmp_path / device, Options(method=method, disk=disk)) as machine:
            assert machine.wait_serial(r"the root image is on /dev/(\w+)\s", 90)[1] == device


@pytest.mark.long
def test_without_a_state_disk_in_256_mib(images, tmp_path):
    with Machine(tmp_path / "vm", Options(memory_mib=256, agent=True)) as machine:
        machine.wait_ready()
        assert appliance_api.get(machine, "/readyz") == (200, "ok")
        assert machine.shell("grep ' /var/lib/etcd ' /proc/mounts")[1].startswith("/dev/zram")
        used = dict(line.split()[:2] for line in machine.shell("cat /proc/meminfo")[1].splitlines())
        assert int(used["MemTotal:"]) - int(used["MemAvailable:"]) < 128 * 1024


@pytest.mark.long
def test_with_the_clock_at_1970(images, tmp_path):
    with Machine(tmp_path / "vm", Options(rtc="1970-01-01T00:00:00", agent=True)) as machine:
        machine.wait_ready()
        assert appliance_api.get(machine, "/readyz") == (200, "ok")
        built = int(machine.shell("sed -n s/^TIME=//p /etc/coracle-release")[1])
        assert built <= int(machine.shell("date +%s")[1]) < built + 600


@pytest.mark.long
def test_without_a_network_card(images, tmp_path):
    with Machine(tmp_path / "vm", Options(nic=False, agent=True)) as machine:
        machine.wait_ready()
        assert machine.shell("wget -q -O- --no-check-certificate https://127.0.0.1:6443/readyz") == (0, "ok")


@pytest.mark.long
def test_state_is_there_after_the_next_start(images, tmp_path):
    options = Options(state=state_disk(tmp_path / "state.img"), agent=True)
    with Machine(tmp_path / "vm", options) as machine:
        machine.wait_ready()
        first = machine.shell("cat /etc/kubernetes/pki/ca.crt; cat /etc/machine-id")
        assert machine.stop()
    with Machine(tmp_path / "vm", options) as machine:
        machine.wait_ready()
        assert machine.shell("cat /etc/kubernetes/pki/ca.crt; cat /etc/machine-id") == first
