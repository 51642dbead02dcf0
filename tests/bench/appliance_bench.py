#!/usr/bin/python3
"""What the appliance takes: bytes of the images, seconds from QEMU's start to Ready, memory and CPU of an idle machine,
seconds to end in order. Under TCG times tell of the emulator as well: which it is stands in the first line."""
import re
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "image"))

from machine_options import Options, accelerator  # noqa: E402
from run import state_disk  # noqa: E402
from vm import Machine  # noqa: E402

SETTLE_S, IDLE_S = 30, 60
SERVICES = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "setup")
MIB = 1 << 20


def show(what, value, budget=""):
    print(f"{what:58} {value:>14} {budget:>10}", flush=True)


def sizes():
    for name, budget in (("coracle.iso", 48), ("initrd", 2), ("vmlinuz", None), ("root.squashfs", None)):
        bytes_ = (ROOT / "out/image" / name).stat().st_size
        show(f"{name}, MiB", f"{bytes_ / MIB:.2f}", f"{budget}" if budget else "")


def numbers(machine, command):
    """NAME VALUE lines."""
    status, text = machine.shell(command)
    assert status == 0, text
    return {name: int(value) for name, value in re.findall(r"^(\S+?):?\s+(\d+)", text, re.M)}


def cpu(machine):
    """Seconds of CPU since the start: of the whole machine but idle, and of each service."""
    ticks = machine.shell("head -1 /proc/stat")[1].split()[1:]
    busy = sum(map(int, ticks[:3])) + sum(map(int, ticks[5:8]))
    own = {name: numbers(machine, f"cat /sys/fs/cgroup/system/{name}/cpu.stat")["usage_usec"] / 1e6 for name in SERVICES}
    return {"all": busy / 100, **own}


def idle(machine):
    time.sleep(SETTLE_S)
    memory = numbers(machine, "cat /proc/meminfo")
    show("MemTotal - MemAvailable, MiB", f"{(memory['MemTotal'] - memory['MemAvailable']) / 1024:.0f}", "128")
    for name in SERVICES:
        pid = machine.shell(f"s6-svstat -o pid /run/service/{name}")[1].strip()
        anon = numbers(machine, f"cat /proc/{pid}/status | grep RssAnon")["RssAnon"] / 1024
        held = numbers(machine, f"echo held $(cat /sys/fs/cgroup/system/{name}/memory.current)")["held"] / MIB
        show(f"  {name}: RssAnon / memory.current, MiB", f"{anon:.1f} / {held:.1f}")
    before = cpu(machine)
    time.sleep(IDLE_S)
    after = cpu(machine)
    for name, seconds in after.items():
        share = f"{100 * (seconds - before[name]) / IDLE_S:.1f}"
        show("idle CPU, % of a core" if name == "all" else f"  {name}", share, "3" if name == "all" else "")


def main():
    show(f"the appliance under {'KVM' if 'kvm' in ' '.join(accelerator(ROOT / 'out/image/vmlinuz')) else 'TCG'}", "", "budget")
    sizes()
    with tempfile.TemporaryDirectory(dir=ROOT / "out") as folder:
        options = Options(state=state_disk(Path(folder) / "state.img"), agent=True)
        begun = time.monotonic()
        with Machine(Path(folder) / "vm", options) as machine:
            machine.wait_ready()
            show("start to Ready, fresh state disk, s", f"{time.monotonic() - begun:.1f}", "15")
            idle(machine)
            begun = time.monotonic()
            assert machine.stop(20)
            show("ended in order, s", f"{time.monotonic() - begun:.1f}", "20")
        begun = time.monotonic()
        with Machine(Path(folder) / "vm", options) as machine:
            machine.wait_ready()
            show("start to Ready, state found, s", f"{time.monotonic() - begun:.1f}", "15")


if __name__ == "__main__":
    main()
