#!/usr/bin/python3
"""One virtual machine for a person: started, looked at, ended.

usage: run.py up|down|console|logs [SERVICE]

It stands in out/vm, its state disk too, so that what was written is there after the next `up`.
"""
import argparse
import os
import re
import select
import sys
import termios
import time
import tty

from paths import ROOT  # first: it tells where some of the next are
from fail import Fail
from machine_options import API_PORT, Options
from vm import READY, Machine

FOLDER = ROOT / "out/vm"
KUBECONFIG = ROOT / "out/admin.kubeconfig"
STATE_BYTES = 4 * 2**30
READY_TIMEOUT_S = 180
END_TIMEOUT_S = 20
LEAVE = b"\x1d"
ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|c)")


def state_disk(path):
    """A sparse file, empty at first; kept when it is there."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "wb") as made:
            made.truncate(STATE_BYTES)
    return path


def kubeconfig(machine, to):
    """The administrator's, from inside, changed to reach the machine through its forwarded port."""
    status, text = machine.shell("cat /etc/kubernetes/admin.conf")
    if status:
        raise Fail("the kubeconfig", f"could not be read in the machine: {text}", "try make logs")
    to.parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(re.sub(r"https://[^\s\"']+", f"https://127.0.0.1:{machine.forwarded(API_PORT)}", text))


class Progress:
    """A pattern that shows what the console says, line by line, until the control plane is ready."""

    pattern, shown = READY, 0

    def search(self, text):
        text = ESCAPES.sub("", text)
        done = text.rfind("\n") + 1
        sys.stderr.write(text[self.shown:done].replace("\r", ""))
        sys.stderr.flush()
        self.shown = max(done, self.shown)
        return re.search(READY, text, re.M)


def up():
    if os.environ.get("IMAGES"):
        raise Fail("IMAGES", "there is nothing here yet that runs containers, so their images would lie unused",
                   "leave it out until the kubelet is there")
    machine = Machine(FOLDER, Options(state=state_disk(FOLDER / "state.img"), agent=True, memory_mib=1024))
    if machine.attach():
        raise Fail("the machine", "is running already", "try make console, make logs or make down")
    began = time.monotonic()
    machine.start()
    try:
        machine.wait_serial(Progress(), READY_TIMEOUT_S)
        kubeconfig(machine, KUBECONFIG)
    except BaseException:
        machine.kill()
        raise
    shown = KUBECONFIG.relative_to(ROOT)
    print(f"\nReady after {time.monotonic() - began:.1f} s. Try:\n"
          f"  make kubectl && out/kubectl/kubectl --kubeconfig {shown} get --raw /readyz?verbose\n"
          f"  out/kubectl/kubectl --kubeconfig {shown} create configmap hello --from-literal=from=me\n"
          "  make console    the status screen (ctrl-] leaves it)\n"
          "  make logs       what its services say; SERVICE=etcd for one\n"
          "  make down       end it in order; its state stays for the next make run")


def running():
    machine = Machine(FOLDER)
    if not machine.attach():
        raise Fail("the machine", "is not running", "start it with make run")
    return machine


def down():
    began = time.monotonic()
    if running().stop(END_TIMEOUT_S):
        print(f"ended in order in {time.monotonic() - began:.1f} s")
        return 0
    print(f"did not end within {END_TIMEOUT_S} s and was killed; its last words are in {FOLDER}/serial.log")
    return 1


def console():
    """The serial port, raw, in both directions."""
    line = running().socket("serial")
    print("ctrl-] leaves the console", flush=True)
    keys, saved = sys.stdin.fileno(), None
    if os.isatty(keys):
        saved = termios.tcgetattr(keys)
        tty.setraw(keys)
    try:
        while True:
            ready = select.select([keys, line], [], [])[0]
            if line in ready:
                said = line.recv(4096)
                if not said:
                    return
                os.write(1, said)
            if keys in ready:
                typed = os.read(keys, 1024)
                if not typed or LEAVE in typed:
                    return
                line.sendall(typed)
    finally:
        if saved:
            termios.tcsetattr(keys, termios.TCSADRAIN, saved)


def logs(service):
    if not service:
        print(running().serial(), end="")
        print("SERVICE=NAME shows one service; there are:")
        print(running().shell("ls /var/log")[1])
        return
    if not re.fullmatch(r"[a-z0-9-]+", service):
        raise Fail(service, "is no name of a service", "try make logs")
    print(running().shell(
        f"cd /var/log/{service} && for f in @*.s current; do [ ! -f $f ] || cat $f; done")[1])


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("command", choices=("up", "down", "console", "logs"))
    parser.add_argument("service", nargs="?")
    args = parser.parse_args()
    if args.command == "logs":
        return logs(args.service)
    return {"up": up, "down": down, "console": console}[args.command]()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Fail as fail:
        sys.exit(f"run: {fail}")
