"""An etcd of the test's own, and storage_tool over it."""
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "services/tools"))

from control_plane import ControlPlane, Notices, Process, etcd_folder, free_ports  # noqa: E402, F401

READY_TIMEOUT_S = 30
TOOL_TIMEOUT_S = 60


class Etcd:
    """One member on loopback, whose data outlive it. `hidden` moves its clients' port where nobody looks."""

    def __init__(self, folder):
        self.folder, self.bin = folder, etcd_folder() / "bin"
        self.client_port, self.peer_port, self.hidden_port = free_ports(3)
        self.process = None
        self.port = self.client_port

    @property
    def url(self):
        return f"http://127.0.0.1:{self.client_port}"

    def start(self, hidden=False):
        self.port = self.hidden_port if hidden else self.client_port
        notices = Notices(f"etcd-{self.port}")
        url = f"http://127.0.0.1:{self.port}"
        self.process = Process("etcd", [
            self.bin / "etcd", "--data-dir", self.folder / "data", "--name", "one",
            "--listen-client-urls", url, "--advertise-client-urls", url,
            "--listen-peer-urls", f"http://127.0.0.1:{self.peer_port}", "--initial-advertise-peer-urls",
            f"http://127.0.0.1:{self.peer_port}", "--initial-cluster", f"one=http://127.0.0.1:{self.peer_port}",
            "--heartbeat-interval", "50", "--election-timeout", "250"], self.folder / "etcd.log")
        self.process.start(notices.address)
        try:
            notices.wait(self.process, READY_TIMEOUT_S)
        finally:
            notices.close()

    def kill(self):
        self.process.kill()

    def ctl(self, *words, stdin=None):
        done = subprocess.run([self.bin / "etcdctl", "--endpoints", f"127.0.0.1:{self.port}", *words], input=stdin,
                              capture_output=True, timeout=TOOL_TIMEOUT_S, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def get(self, key):
        """The value, its revision and its version."""
        answer = json.loads(self.ctl("get", key, "-w", "json"))
        if not answer.get("kvs"):
            return None
        kv = answer["kvs"][0]
        return self.ctl("get", key, "--print-value-only")[:-1], kv["mod_revision"], kv["version"]

    def revision(self):
        return json.loads(self.ctl("get", "nothing", "-w", "json"))["header"]["revision"]


class Storage:
    """storage_tool over one etcd."""

    def __init__(self, url, *options):
        self.argv = [str(ROOT / "out/dev/bin/storage_tool"), "--servers", url, *map(str, options)]

    def run(self, *words, stdin=None):
        if stdin is not None and not isinstance(stdin, str):
            stdin = json.dumps(stdin)
        return subprocess.run([*self.argv, *words], input=stdin, capture_output=True, text=True,
                              timeout=TOOL_TIMEOUT_S, check=False)

    def __call__(self, *words, stdin=None):
        done = self.run(*words, stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def watch(self, resource, revision):
        return Watch([*self.argv, "watch", resource, str(revision)])


class Watch:
    """A watch whose lines are read as they come."""

    def __init__(self, argv):
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        text=True)

    def line(self):
        return self.process.stdout.readline().strip()

    def until_synced(self):
        lines = []
        while not (line := self.line()).startswith("SYNCED "):
            assert line, "the watch has ended"
            lines.append(line)
        return lines

    def close(self):
        """Ends it; the lines that had not been read."""
        rest = self.process.communicate(timeout=TOOL_TIMEOUT_S)[0].splitlines()
        assert self.process.returncode == 0
        assert rest.pop() == "ENDED the storage is closed"
        return rest
