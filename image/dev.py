#!/usr/bin/python3
"""From an edit in C to a test in a machine, without a boot: restores a machine whose control plane is ready, lets it
run the programs just compiled from a second disk, and runs tests on it.

usage: dev.py [TEST...]

The snapshot in out/dev-vm is made at the first call, and again when anything of the image but the one binary has
changed. What runs before the control plane (stage 1, init, setup) is the snapshot's: boot to test those. Without a
TEST the machine is left running until the next call.
"""
import hashlib
import os
import subprocess
import sys
import time

from paths import ROOT  # first: it tells where some of the next are
import archives
import tree
from fail import Fail
from imager import Imager
from machine_options import Options
from run import kubeconfig, state_disk
from vm import Machine

FOLDER = ROOT / "out/dev-vm"
PROGRAMS = ROOT / "out/musl/bin"
DISK_BYTES = 64 * 2**20
MIGRATION_TIMEOUT_S = 60
RESTART = r"""
for disk in /sys/block/vd*; do
	[ "$(cat $disk/serial)" = coracle-dev ] || continue
	mkdir -p /run/coracle/dev
	mount -t squashfs -o ro /dev/${disk##*/} /run/coracle/dev
done
mount --bind /run/coracle/dev/coracle /usr/bin/coracle &&
cd /run/service && s6-svc -k kube-apiserver && s6-svc -k kube-controller-manager && s6-svc -k kube-scheduler
"""


def key(imager):
    """What the snapshot was made of: everything but the binary that is replaced."""
    digest = hashlib.sha256(imager.kernel.read_bytes() + imager.initrd_entries()[-1].content)
    for entry in imager.entries:
        if entry.path not in ("/usr/bin/coracle", "/etc/coracle-release"):
            entry.mix_into(digest)
    return digest.hexdigest()


def options(extra=()):
    return Options(images=FOLDER / "base", state=FOLDER / "vm/state.img", agent=True,
                   disks=(("coracle-dev", FOLDER / "vm/dev.squashfs"),), extra=extra)


def sized(path):
    """A device keeps its size over a restore."""
    with open(path, "r+b") as file:
        file.truncate(DISK_BYTES)


def snapshot():
    """Boots what is built now and keeps its memory and its disk."""
    archives.fresh(FOLDER / "base")
    base = Imager(FOLDER / "base", PROGRAMS)
    base.make_pieces()
    base.agent.stat()
    archives.fresh(FOLDER / "vm")
    state_disk(FOLDER / "vm/state.img")
    (FOLDER / "vm/dev.squashfs").write_bytes(b"")
    sized(FOLDER / "vm/dev.squashfs")
    with Machine(FOLDER / "vm", options()) as machine:
        machine.wait_ready()
        machine.command("migrate-set-capabilities", capabilities=[{"capability": "events", "state": True}])
        machine.command("migrate", uri="exec:cat > ram")
        machine.wait_event("MIGRATION", MIGRATION_TIMEOUT_S, lambda data: data["status"] == "completed")
    for name in ("ram", "state.img"):
        os.replace(FOLDER / "vm" / name, FOLDER / "base" / name)
    (FOLDER / "base/key").write_text(key(base))


def restore():
    machine = Machine(FOLDER / "vm", options(("-incoming", "exec:cat ../base/ram")))
    if machine.attach():
        machine.kill()
    archives.fresh(FOLDER / "vm")
    archives.run(["cp", "--sparse=always", FOLDER / "base/state.img", FOLDER / "vm/state.img"])
    binary = tree.Entry("/coracle", "file", content=tree.stripped(PROGRAMS / "coracle"))
    archives.squashfs([binary], 0, FOLDER / "vm/dev.squashfs", level=1)
    sized(FOLDER / "vm/dev.squashfs")
    machine.start()
    if machine.command("query-status")["status"] != "running":
        machine.wait_event("RESUME", MIGRATION_TIMEOUT_S)
    status, said = machine.shell(RESTART)
    if status:
        raise Fail("the programs just compiled", f"cannot be started in the machine: {said}", "see its console")
    machine.wait_ready()
    return machine


def main():
    began = time.monotonic()
    now = key(Imager(FOLDER / "now", PROGRAMS))
    kept = FOLDER / "base/key"
    if not (kept.exists() and kept.read_text() == now):
        print("making the snapshot: a boot", flush=True)
        snapshot()
        began = time.monotonic()
    machine = restore()
    kubeconfig(machine, FOLDER / "admin.kubeconfig")
    print(f"the new programs run after {time.monotonic() - began:.1f} s; {FOLDER}/admin.kubeconfig reaches them", flush=True)
    if len(sys.argv) == 1:
        return 0
    machine.leave()
    try:
        return subprocess.run(["/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", *sys.argv[1:]],
                              env={**os.environ, "CORACLE_MACHINE": str(machine.folder)}, cwd=ROOT).returncode
    finally:
        machine.kill()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Fail as fail:
        sys.exit(f"dev: {fail}")
