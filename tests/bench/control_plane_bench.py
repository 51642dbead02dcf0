#!/usr/bin/python3
"""What the control plane costs with 10,000 pods on 100 nodes: CPU time per operation of each process, memory.

usage: control_plane_bench.py [--pods N] [--watchers N] [--idle SECONDS] [--bin FOLDER]

Run by `make bench`; with out/tsan/bin it is `make tsan-load`, which fails if a log has a complaint. CPU time is that of a process's threads as the scheduler counted it, whatever the load
generator costs. Memory is RssAnon.
"""
import argparse
import contextlib
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "services/tools"), str(ROOT / "tests")]

from client import Client  # noqa: E402
from control_plane import ControlPlane, etcd_folder  # noqa: E402

NODES, AT_ONCE = 100, 50
SHORT = {"etcd": "etcd", "kube-apiserver": "apiserver", "kube-controller-manager": "controllers",
         "kube-scheduler": "scheduler"}


def cpu_seconds(pid):
    """User and system time of all threads so far."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def rss_anon_mib(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024


def show(figure, measured, unit, budget=None, more=""):
    verdict = "" if budget is None else f", budget {budget:g} {unit}{'' if measured <= budget else '  MISSED'}"
    print(f"{figure}: {measured:.4g} {unit}{verdict}{more}", flush=True)


class Load:
    """api_load, stopped where it waits for its caller."""

    def __init__(self, bench, what, count, at_once=1):
        self.bench = bench
        self.process = subprocess.Popen([bench.bin / "api_load", bench.plane.kubeconfig, what, str(count), str(at_once)],
                                        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.line("ready")

    def line(self, wanted=None):
        line = self.process.stdout.readline().strip()
        if not line or (wanted and line != wanted):
            self.process.kill()
            sys.exit(f"api_load said: {line!r}")
        return line

    def go(self):
        """Seconds that each process spent, what was done, bytes, seconds on the wall."""
        before = self.bench.cpu()
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        done, size, wall = self.line().split()
        spent = {name: seconds - before[name] for name, seconds in self.bench.cpu().items()}
        return spent, int(done), int(size), float(wall)

    def end(self):
        self.process.stdin.close()
        self.process.wait()


class Bench:
    def __init__(self, folder, bin_folder, pods, watchers):
        self.plane = ControlPlane(folder, bin_folder=bin_folder)
        self.bin, self.pods, self.watchers = self.plane.bin, pods, watchers

    def pid(self, name):
        return self.plane.processes[name].pid

    def cpu(self):
        return {name: cpu_seconds(p.pid) for name, p in self.plane.processes.items() if p.alive()}

    def memory(self, name):
        return rss_anon_mib(self.pid(name))

    def start(self):
        """Twice: with nothing there, and again."""
        self.plane.make()
        for title, budget in (("fresh", 0.6), ("again", 0.9)):
            began = time.monotonic()
            self.plane.start()
            show(f"start of etcd and the control plane to ready, {title}", time.monotonic() - began, "s", budget)
            if title == "fresh":
                self.plane.stop()

    def idle(self, seconds):
        before = self.cpu()
        time.sleep(seconds)
        spent = {name: (now - before[name]) / seconds * 100 for name, now in self.cpu().items()}
        for name, budget in (("kube-apiserver", 16), ("kube-controller-manager", 12), ("kube-scheduler", 8)):
            show(f"{name} idle, RssAnon", self.memory(name), "MiB", budget)
        print(f"idle CPU over {seconds} s, of a core: " +
              ", ".join(f"{SHORT[name]} {value:.2f} %" for name, value in spent.items()), flush=True)

    def prepare(self):
        """Nodes that are ready, and a namespace; without the controllers, to whom nodes without a kubelet look dead."""
        self.plane.processes.pop("kube-controller-manager").stop()
        self.plane.processes.pop("kube-scheduler").stop()
        api = Client(self.plane.kubeconfig)
        api.post("/api/v1/namespaces", {"metadata": {"name": "bench"}})
        api.post("/api/v1/namespaces/bench/serviceaccounts", {"metadata": {"name": "default"}})
        size = {"cpu": "64", "memory": "256Gi", "pods": "250", "ephemeral-storage": "100Gi"}
        for i in range(NODES):
            node = api.post("/api/v1/nodes", {
                "metadata": {"name": f"node-{i}", "labels": {"kubernetes.io/hostname": f"node-{i}"}},
                "status": {"capacity": size, "allocatable": size,
                           "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}]}})
            node["spec"].pop("taints", None)
            api.put(f"/api/v1/nodes/node-{i}", node)

    def run(self, figure, what, count, at_once=1, budget_ms=None, unit_bytes=False):
        load = Load(self, what, count, at_once)
        spent, done, size, wall = load.go()
        load.end()
        ms = {name: seconds / done * 1000 for name, seconds in spent.items()}
        more = f"; {', '.join(f'{SHORT[n]} {v * 1000:.1f} us' for n, v in ms.items() if n != 'kube-apiserver')}"
        more += f"; {done / wall:.0f} /s"
        if unit_bytes:
            more += f"; {size / done / 2**20:.1f} MiB"
        show(f"CPU per {figure}", ms["kube-apiserver"], "ms", budget_ms, more)
        return ms

    def watch(self, what, watchers, changes, told, patch_ms, budget_ms):
        before = self.memory("kube-apiserver")
        load = Load(self, what, changes, watchers)
        kib = (self.memory("kube-apiserver") - before) * 1024 / watchers
        spent, events, _, wall = load.go()
        load.end()
        ms = (spent["kube-apiserver"] * 1000 - changes * patch_ms) / events
        show(f"CPU per watch event, {told}", ms, "ms", budget_ms, f"; {events / wall:.0f} events/s")
        return kib

    def schedule(self):
        """By a scheduler that finds all pods waiting; its start and lists are in the figure."""
        load = Load(self, "bound", self.pods)
        before = self.cpu()
        self.plane.start_one("kube-scheduler")
        _, done, _, wall = load.go()
        now = self.cpu()
        load.end()
        show(f"CPU per pod scheduled, {NODES} nodes", now["kube-scheduler"] / done * 1000, "ms", 0.1,
             f"; apiserver {(now['kube-apiserver'] - before['kube-apiserver']) / done * 1000:.3f} ms; {done / wall:.0f} /s")

    def measure(self, idle_s):
        self.start()
        self.idle(idle_s)
        self.prepare()
        pods, watchers = self.pods, self.watchers
        self.run("pod created, JSON, 50 in flight", "create-json", pods, AT_ONCE, 0.1)
        show(f"kube-apiserver with {pods} pods, RssAnon", self.memory("kube-apiserver"), "MiB", 64)
        self.run("pod deleted", "delete", pods, AT_ONCE)
        self.run("pod created, protobuf, 50 in flight", "create", pods, AT_ONCE, 0.1)
        self.run("GET, 16 in flight", "get", pods, 16, 0.03)
        show(f"kube-apiserver with {pods} pods again, RssAnon", self.memory("kube-apiserver"), "MiB", 64)
        patch = self.run("PATCH, 50 in flight", "patch", pods, AT_ONCE, 0.15)["kube-apiserver"]
        lone = self.run("PATCH, alone", "patch", min(pods, 500))["kube-apiserver"]
        self.run(f"LIST of {pods} pods, protobuf", "list", 20, 1, 18, True)
        self.run(f"LIST of {pods} pods, JSON, cold", "list-json", 1, 1, 60, True)
        self.run(f"LIST of {pods} pods, JSON, cached", "list-json", 20, 1, 25, True)
        kib = self.watch("watch", watchers, min(pods, 1000), f"{watchers} watchers of all pods", patch, 0.004)
        show("idle watch connection, RssAnon", kib, "KiB", 24)
        self.watch("watch-lone", watchers, min(pods, 200), f"{watchers} watchers, lone", lone, 0.016)
        self.schedule()
        self.watch("watch-node", watchers, pods, f"{watchers} watchers of a node each", patch, 0.016)
        show("kube-apiserver at the end, RssAnon", self.memory("kube-apiserver"), "MiB", 64)
        show(f"kube-scheduler with {pods} pods, RssAnon", self.memory("kube-scheduler"), "MiB")
        self.run("pod deleted, scheduler watching", "delete", pods, AT_ONCE)


    def complaints(self):
        """Of sanitizers."""
        logs = (log.read_text(errors="replace") for log in self.plane.logs.iterdir())
        return [text[text.index("Sanitizer") - 100:][:4000] for text in logs if "Sanitizer" in text]


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--pods", type=int, default=10000)
    parser.add_argument("--watchers", type=int, default=500)
    parser.add_argument("--bin", default=ROOT / "out/dev/bin", type=Path)
    parser.add_argument("--idle", type=int, default=30, help="seconds that idle CPU is counted")
    args = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (8192, 8192))
    etcd_folder()
    with tempfile.TemporaryDirectory(dir=ROOT / "out") as folder:
        bench = Bench(Path(folder) / "cp", args.bin, args.pods, args.watchers)
        try:
            bench.measure(args.idle)
        finally:
            bench.plane.stop()
        if complaints := bench.complaints():
            sys.exit("\n".join(complaints))


if __name__ == "__main__":
    main()
