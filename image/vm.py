"""One virtual machine under QEMU, started from any of the images.

Everything of it stands in its folder: serial.log (and serial.sock for a person), qmp.sock, agent.sock, machine.json.
QEMU runs with that folder as its own, so that no name of a socket grows too long.
"""
import contextlib
import json
import os
import re
import select
import signal
import socket
import subprocess
from pathlib import Path

import paths  # noqa: F401  first: it tells where some of the next are
from control_plane import start_time
from fail import Fail
from machine_options import Options, arguments
from watch import Watch

QEMU = "qemu-system-x86_64"
ANSWER_TIMEOUT_S = 30
SOCKETS = ("serial", "qmp", "agent")


# What the console says each time when every service of the control plane has become ready.
READY = r"^coracle: control plane Ready"


class Machine:
    def __init__(self, folder, options=None):
        self.folder = Path(folder).resolve()
        self.options = options or Options()
        self.process = self.qmp = self.qmp_socket = self.agent = None
        self.pid = self.began = None

    # --- life

    def start(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "serial.log").write_bytes(b"")
        with contextlib.ExitStack() as open_here:
            fds = {name: open_here.enter_context(self.listen(name)).fileno() for name in SOCKETS}
            log = open_here.enter_context(open(self.folder / "qemu.log", "wb"))
            argv = [QEMU, *map(str, arguments(self.options, self.folder, fds))]
            self.process = subprocess.Popen(argv, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            pass_fds=list(fds.values()), start_new_session=True)
        self.pid, self.began = self.process.pid, start_time(self.process.pid)
        (self.folder / "machine.json").write_text(json.dumps({"pid": self.pid, "began": self.began}))
        self.connect()
        return self

    def attach(self):
        """To the machine that an earlier process started in this folder; False when there is none."""
        with contextlib.suppress(FileNotFoundError, ValueError):
            told = json.loads((self.folder / "machine.json").read_text())
            self.pid, self.began = told["pid"], told["began"]
        return self.alive()

    def alive(self):
        if self.process:
            self.process.poll()
        return self.pid is not None and self.began is not None and start_time(self.pid) == self.began

    def ended_fd(self):
        return os.pidfd_open(self.pid)

    def wait_end(self, timeout_s):
        """True once QEMU has ended."""
        if not self.alive():
            return True
        fd = self.ended_fd()
        try:
            return bool(select.select([fd], [], [], timeout_s)[0])
        finally:
            os.close(fd)
            self.alive()

    def power_button(self):
        self.command("system_powerdown")

    def kill(self):
        if self.alive():
            os.kill(self.pid, signal.SIGKILL)
            self.wait_end(30)

    def stop(self, timeout_s=30):
        """In order if it can, at once if it cannot. True when it ended by itself."""
        if not self.alive():
            return True
        with contextlib.suppress(Fail, OSError):
            self.power_button()
        ended = self.wait_end(timeout_s)
        self.kill()
        return ended

    def leave(self):
        """Closes the connections, each of which takes one process at a time."""
        for name in ("qmp", "qmp_socket", "agent"):
            if there := getattr(self, name):
                there.close()
            setattr(self, name, None)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.kill()

    # --- what it says and takes

    def serial(self):
        return (self.folder / "serial.log").read_bytes().decode(errors="replace")

    def wait_serial(self, pattern, timeout_s):
        """The match of a pattern in all that the console has said; Fail with its end when that does not come.
        Anything with a method `search` is a pattern."""
        pattern = re.compile(pattern, re.M) if isinstance(pattern, str) else pattern
        fd = self.ended_fd()
        try:
            with Watch(self.folder / "serial.log") as watch:
                found = watch.until(pattern.search, timeout_s, fd)
        finally:
            os.close(fd)
        if not found:
            tail = "\n  ".join(self.serial().splitlines()[-15:])
            state = "after %d s" % timeout_s if self.alive() else "and the machine has ended"
            raise Fail("the machine", f"its console does not say /{getattr(pattern, 'pattern', pattern)}/ {state}; it ends with\n  {tail}",
                       f"the whole is {self.folder}/serial.log")
        return found

    def type(self, keys, until, timeout_s):
        """On the serial console, which is listened to until it has said `until`."""
        heard = b""
        with self.socket("serial") as line:
            line.settimeout(timeout_s)
            line.sendall(keys)
            while until not in heard:
                heard += line.recv(4096)

    def wait_ready(self, timeout_s=120):
        self.wait_serial(READY, timeout_s)
        return self

    def command(self, name, **arguments):
        """A QMP command's answer."""
        if not self.qmp:
            self.connect()
        self.qmp.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self.qmp.flush()
        while True:
            answer = self.read_qmp(name)
            if "error" in answer:
                raise Fail("QEMU", f"{name}: {answer['error']['desc']}", "see its documentation of QMP")
            if "return" in answer:
                return answer["return"]

    def read_qmp(self, what):
        try:
            line = self.qmp.readline()
        except ConnectionError:
            line = ""
        except TimeoutError:
            raise Fail("QEMU", f"does not answer ({what})", "another process may hold its QMP socket") from None
        if not line:
            words = (self.folder / "qemu.log").read_text(errors="replace").strip()
            raise Fail("QEMU", f"has ended ({what}): {words}", f"see {self.folder}/qemu.log")
        return json.loads(line)

    def wait_event(self, name, timeout_s, wanted=lambda data: True):
        """An event of QMP. Those that came before are gone, save what no command has read past."""
        self.qmp_socket.settimeout(timeout_s)
        try:
            while not ((told := self.read_qmp(name)).get("event") == name and wanted(told["data"] if "data" in told else {})):
                pass
        finally:
            self.qmp_socket.settimeout(ANSWER_TIMEOUT_S)

    def monitor(self, line):
        return self.command("human-monitor-command", **{"command-line": line})

    def connect(self):
        self.qmp_socket = self.socket("qmp")
        self.qmp = self.qmp_socket.makefile("rw")
        self.qmp_socket.settimeout(ANSWER_TIMEOUT_S)
        self.read_qmp("greeting")
        self.command("qmp_capabilities")

    def forwarded(self, guest_port):
        """The port of 127.0.0.1 that leads to a port of the guest."""
        found = re.search(rf"TCP\[HOST_FORWARD\]\s+\d+\s+\S+\s+(\d+)\s+\S+\s+{guest_port}\s", self.monitor("info usernet"))
        if not found:
            raise Fail(f"port {guest_port}", "is not forwarded to this machine", "name it when it is started")
        return int(found[1])

    def shell(self, command, timeout_s=60):
        """Status and output of a command in the guest, through the shell that `agent` put there."""
        if not self.agent:
            self.agent = self.socket("agent")
        mark = f"end-of-{os.urandom(8).hex()}"
        self.agent.sendall(f"{{ {command}\n}} </dev/null 2>&1; s=$?; echo; echo {mark} $s\n".encode())
        self.agent.settimeout(timeout_s)
        got = b""
        while not (end := re.search(rf"\n{mark} (\d+)\n".encode(), got)):
            more = self.agent.recv(65536)
            if not more:
                raise Fail("the shell in the machine", "has ended", f"see {self.folder}/serial.log")
            got += more
        return int(end[1]), got[: end.start()].decode(errors="replace")

    # --- sockets, reached through their folder: its path may be longer than an address can be

    def listen(self, name):
        (self.folder / f"{name}.sock").unlink(missing_ok=True)
        made = socket.socket(socket.AF_UNIX)
        with self.place() as place:
            made.bind(f"{place}/{name}.sock")
        made.listen(1)
        return made

    def socket(self, name):
        made = socket.socket(socket.AF_UNIX)
        with self.place() as place:
            made.connect(f"{place}/{name}.sock")
        return made

    @contextlib.contextmanager
    def place(self):
        fd = os.open(self.folder, os.O_PATH)
        try:
            yield f"/proc/self/fd/{fd}"
        finally:
            os.close(fd)
