#!/usr/bin/python3
"""CPU time of an HTTPS server of lib/http per request, and memory of an idle watch. Run by `make bench`.

CPU time is the server's own (user and system, from getrusage), whatever the load generator costs.
"""
import contextlib
import resource
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/http"))
sys.path.insert(0, "/usr/lib/python3/dist-packages")

import frames  # noqa: E402
from http_server import running  # noqa: E402

BUDGET_GET_MS, BUDGET_WATCH_KIB, TLS_FLOOR_LIST_MS, LIST_BYTES = 0.03, 24, 15, 16_000_000
REQUESTS, WATCHES = 100_000, 400
# What a kubelet sends: a token of the usual length, and nothing that the next connection has sent already.
WATCH_HEADERS = [("user-agent", "kubelet/v1.36.0 (linux/amd64) kubernetes/0123456"),
                 ("accept", "application/vnd.kubernetes.protobuf"), ("authorization", "Bearer " + "x" * 900)]


def cpu_seconds(pid):
    """User and system time so far, at the kernel's full resolution."""
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as stat:
        return int(stat.read().split()[0]) / 1e9


def rss_anon_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssAnon"))


def load(server, path, requests, streams, *more):
    before = cpu_seconds(server.process.pid)
    done = subprocess.run(["h2load", "-n", str(requests), "-c", "50", "-m", str(streams), *more, server.url + path],
                          capture_output=True, text=True, check=True)
    if f"{requests} succeeded" not in done.stdout:
        sys.exit(done.stdout)
    return (cpu_seconds(server.process.pid) - before) / requests * 1000


def watch(server):
    connection = frames.Http2(server.connect(["h2"]))
    connection.status(connection.request("/watch", headers=WATCH_HEADERS))
    return connection


def main():
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    with tempfile.TemporaryDirectory(dir=ROOT / "out") as folder, running(Path(folder)) as server:
        with contextlib.ExitStack() as stack:
            held = [stack.enter_context(contextlib.closing(watch(server).sock)) for _ in range(20)]
            before = rss_anon_kib(server.process.pid)
            held += [stack.enter_context(contextlib.closing(watch(server).sock)) for _ in range(WATCHES)]
            kib = (rss_anon_kib(server.process.pid) - before) / WATCHES
        server.wait_for("watchers", 0)
        print(f"idle watch over HTTP/2 and TLS, RssAnon: {kib:.1f} KiB, budget {BUDGET_WATCH_KIB} KiB")
        for streams in (1, 10):
            ms = load(server, "/hello", REQUESTS, streams)
            print(f"GET by 50 connections, {streams} at once each: {ms * 1000:.1f} us, budget of a whole GET {BUDGET_GET_MS * 1000:.0f} us")
        ms = load(server, "/hello", REQUESTS, 1, "--h1")
        print(f"GET by 50 connections of HTTP/1.1: {ms * 1000:.1f} us")
        ms = load(server, f"/size?bytes={LIST_BYTES}", 100, 1)
        print(f"body of {LIST_BYTES / 1e6:.0f} MB: {ms:.1f} ms, {ms * 20.8 * 1.048576 / 16:.1f} ms for 20.8 MiB; TLS floor {TLS_FLOOR_LIST_MS} ms")
        server.process.send_signal(signal.SIGTERM)
        server.process.wait()


if __name__ == "__main__":
    main()
