"""The power is cut under API writes, and what the disk had not flushed is gone: every acknowledged write is there after
the next boot, and the file system is in order."""
import contextlib
import subprocess
import sys

import pytest
import volatile_disk
from churn import Churn
from client import Client
from paths import ROOT
from control_plane import hold_ports
from imager import Packages
from machine_options import API_PORT, Options
from run import kubeconfig, state_disk
from vm import Machine

CUTS = 20
WRITERS, WATCHERS = 10, 4
WRITES = 3  # of each writer between two cuts


class Bench:
    """One state disk, and the machines that run on it one after another, all at one port."""

    def __init__(self, folder):
        self.folder, self.state = folder, state_disk(folder / "state.img")
        self.held = hold_ports(1)
        self.port = self.held[0].getsockname()[1]
        self.fsck = Packages().folder("e2fsprogs") / "bin/e2fsck"

    @contextlib.contextmanager
    def powered(self, *flags):
        """A machine that is ready. Behind it the power is cut, unless it has ended before."""
        machine = Machine(self.folder / "vm", Options(state="nbd:unix:state.sock", agent=True, forward={API_PORT: self.port}))
        machine.folder.mkdir(exist_ok=True)
        with machine.listen("state") as listener:
            disk = subprocess.Popen([sys.executable, volatile_disk.__file__, self.state, str(listener.fileno()), *flags],
                                    pass_fds=[listener.fileno()], stdout=subprocess.PIPE, text=True)
        try:
            with machine:
                yield machine.wait_ready()
        finally:
            self.said = disk.communicate(timeout=60)[0]

    def check_file_system(self):
        """What the journal brings back is whole: a copy is replayed, then read through."""
        copy = self.folder / "copy.img"
        subprocess.run(["cp", "--sparse=always", self.state, copy], check=True)
        replayed = subprocess.run([self.fsck, "-p", copy], capture_output=True, text=True)
        assert replayed.returncode in (0, 1), replayed.stdout
        checked = subprocess.run([self.fsck, "-fn", copy], capture_output=True, text=True)
        assert checked.returncode == 0, checked.stdout

    def close(self):
        for one in self.held:
            one.close()


@pytest.fixture
def bench(images, tmp_path):
    bench = Bench(tmp_path)
    yield bench
    bench.close()


@contextlib.contextmanager
def churning(bench, machine):
    """Writers of a namespace of their own, once it is ready for pods."""
    where = bench.folder / "admin.kubeconfig"
    kubeconfig(machine, where)
    client = Client(where)
    client.post("/api/v1/namespaces", {"metadata": {"name": "cut"}})
    client.wait_one("/api/v1/namespaces/cut/serviceaccounts", "default", lambda account: True)
    churn = Churn(ROOT / "out/dev/bin/api-churn", where, "cut", WRITERS, WATCHERS)
    try:
        yield churn
    finally:
        churn.end()


@pytest.mark.long
def test_nothing_acknowledged_is_lost_when_the_power_is_cut(bench):
    lost_blocks = 0
    with contextlib.ExitStack() as after:
        with bench.powered() as machine:
            churn = after.enter_context(churning(bench, machine))
            churn.wait("acked")
        for cut in range(CUTS):
            lost_blocks += int(bench.said.split()[2])
            bench.check_file_system()
            with bench.powered("--keep", str(cut)):
                for _ in range(WRITES):
                    churn.wait("acked")
                if cut == CUTS - 1:
                    result = churn.result()
    assert lost_blocks > 0
    assert result["acked"] >= WRITERS * (CUTS * WRITES + 1)


@pytest.mark.long
def test_a_disk_that_lies_is_found_out(bench):
    with contextlib.ExitStack() as after:
        with bench.powered() as machine:
            churn = after.enter_context(churning(bench, machine))
            churn.wait("acked")
        with bench.powered("--deaf"):
            churn.wait("acked")
        with bench.powered():
            # No wait for writes: a writer that misses what it wrote ends the churn.
            status, _, complaints = churn.finish()
    assert status == 1 and "BAD" in complaints, complaints
