"""What a virtual machine is made of, and how QEMU is told so."""
import shutil
import subprocess
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from grub import CMDLINE
from paths import ROOT

OVMF = Path("/usr/share/OVMF")
# "none" is direct boot without the root's disk.
METHODS = ("none", "direct", "iso-bios", "iso-uefi", "disk-bios", "disk-uefi", "pxe-bios", "pxe-uefi")
API_PORT = 6443
AGENT_PORT = "io.coracle.agent"
KVM_PROBE_S = 8


@dataclass
class Options:
    """Paths are absolute."""

    images: Path = ROOT / "out/image"
    method: str = "direct"
    memory_mib: int = 512
    cpus: int = 2
    state: str = None  # a raw disk for CORACLE-STATE, as QEMU's file= takes it
    disk: Path = None  # disk boot: this one, which is written to; None: a copy of the image
    cmdline: str = ""  # more of the kernel's command line; direct boot alone has one
    config: dict = field(default_factory=dict)  # settings, given by fw_cfg
    forward: dict = field(default_factory=lambda: {API_PORT: 0})  # port of the guest: of the host, 0: a free one
    nic: bool = True
    agent: bool = False  # direct boot: append the archive with the shell for tests
    paused: bool = False  # until the QMP command `cont`
    rtc: str = None  # the clock at the start: 1970-01-01T00:00:00
    disks: tuple = ()  # more disks, read-only: (serial, path)
    extra: tuple = ()  # more arguments of QEMU


def arguments(o, folder, sockets):
    """QEMU's arguments; `sockets` holds listening descriptors by name. Files it needs are made in `folder`."""
    argv = ["-nodefaults", "-no-reboot", "-machine", "q35", *accelerator(o.images / "vmlinuz"), "-m", o.memory_mib,
            "-smp", o.cpus, "-display", "none", "-vga", "std", "-name", f"coracle-{folder.name}",
            "-chardev", f"socket,id=serial,fd={sockets['serial']},server=on,wait=off,logfile=serial.log",
            "-serial", "chardev:serial",
            "-chardev", f"socket,id=qmp,fd={sockets['qmp']},server=on,wait=off", "-mon", "chardev=qmp,mode=control",
            "-chardev", f"socket,id=agent,fd={sockets['agent']},server=on,wait=off",
            "-device", "virtio-serial-pci", "-device", f"virtserialport,chardev=agent,name={AGENT_PORT}",
            "-device", "virtio-rng-pci", "-device", "pcie-root-port,id=spare,chassis=1"]
    if o.config:
        text = "".join(f"{key}={value}\n" for key, value in o.config.items())
        (folder / "coracle.conf").write_text(text)
        argv += ["-fw_cfg", "name=opt/io.coracle/config,file=coracle.conf"]
    if o.paused:
        argv += ["-S"]
    if o.rtc:
        argv += ["-rtc", f"base={o.rtc}"]
    argv += boot_arguments(o, folder) + network_arguments(o)
    for serial, path in o.disks:
        argv += disk(serial, f"file={path},format=raw,readonly=on")
    if o.state:
        argv += disk("coracle-state", f"file={o.state},format=raw,cache=writeback")
    return argv + list(o.extra)


def disk(serial, drive):
    return ["-drive", f"if=none,id={serial},{drive}", "-device", f"virtio-blk-pci,drive={serial},serial={serial}"]


def network_arguments(o):
    if not o.nic:
        return []
    user = "user,id=net0" + "".join(f",hostfwd=tcp:127.0.0.1:{host}-:{guest}" for guest, host in o.forward.items())
    if o.method.startswith("pxe"):
        user += f",tftp={o.images / 'pxe'},bootfile=boot.ipxe"
    return ["-netdev", user, "-device", "virtio-net-pci,netdev=net0,bootindex=9"]


def boot_arguments(o, folder):
    kind, _, firmware = o.method.partition("-")
    argv = uefi(folder) if firmware == "uefi" else []
    if kind in ("direct", "none"):
        initrd = o.images / "initrd"
        if o.agent:
            initrd = folder / "initrd"
            first = (o.images / "initrd").read_bytes()
            # The kernel takes a second archive that is not compressed only at a multiple of four.
            initrd.write_bytes(first + bytes(-len(first) % 4) + (o.images / "agent.cpio").read_bytes())
        root = disk("coracle-root", f"file={o.images / 'root.squashfs'},format=raw,readonly=on")
        return [*argv, "-kernel", o.images / "vmlinuz", "-initrd", initrd, "-append", f"{CMDLINE} {o.cmdline}".strip(),
                *(root if kind == "direct" else [])]
    if kind == "iso":
        return [*argv, "-drive", f"if=none,id=cd,media=cdrom,file={o.images / 'coracle.iso'},format=raw,readonly=on",
                "-device", "ide-cd,drive=cd,bootindex=1"]
    if kind == "disk":
        own = o.disk or folder / "disk.img"
        if not o.disk:
            subprocess.run(["cp", "--sparse=always", o.images / "coracle.img", own], check=True)
        return [*argv, "-drive", f"if=none,id=disk,file={own},format=raw,cache=writeback",
                "-device", "virtio-blk-pci,drive=disk,bootindex=1"]
    return argv


def uefi(folder):
    shutil.copy(OVMF / "OVMF_VARS_4M.fd", folder / "vars.fd")
    return ["-drive", f"if=pflash,format=raw,readonly=on,file={OVMF / 'OVMF_CODE_4M.fd'}",
            "-drive", "if=pflash,format=raw,file=vars.fd"]


@cache
def accelerator(kernel):
    """KVM where this kernel shows that it boots there, which the mere device does not tell."""
    kvm = ["-accel", "kvm", "-cpu", "host"]
    if Path("/dev/kvm").exists():
        try:
            done = subprocess.run(["qemu-system-x86_64", "-nodefaults", "-no-reboot", "-machine", "q35", *kvm, "-m", "256",
                                   "-display", "none", "-serial", "stdio", "-kernel", kernel, "-append",
                                   "console=ttyS0 panic=-1"], stdin=subprocess.DEVNULL, capture_output=True,
                                  timeout=KVM_PROBE_S)
            if b"Kernel panic" in done.stdout:
                return kvm
        except subprocess.TimeoutExpired:
            pass
    return ["-accel", "tcg,thread=multi", "-cpu", "max"]
