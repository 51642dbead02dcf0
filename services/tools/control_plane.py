#!/usr/bin/python3
"""The control plane as plain processes on loopback: etcd, kube-apiserver and what runs beside them.

usage: control_plane.py up|down [--dir DIR]

`up` starts it with everything below DIR (certificates, data, logs, DIR/admin.kubeconfig) and returns once
it is ready; `down` ends what that started. The class is what the tests use.
"""
import argparse
import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
READY_TIMEOUT_S = 60
END_TIMEOUT_S = 30
SERVICE_RANGE = "10.96.0.0/16"


class Failure(Exception):
    """A message for people: what, why, what to do."""


def hold_ports(count):
    """Sockets bound to ports that the kernel has free. A server may listen there all the same; but as long as a socket
    is open, its port becomes nobody's own end of a connection, not even while the server is down."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind(("127.0.0.1", 0))
    return sockets


def free_ports(count):
    """Ports that the kernel has free: all held at once, so that they differ."""
    with contextlib.ExitStack() as held:
        return [held.enter_context(one).getsockname()[1] for one in hold_ports(count)]


def start_time(pid):
    """When a process began, in ticks: with its id it names one process for ever. None: gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else int(fields[19])


class Process:
    """One daemon: started in the background, known by its id and start time."""

    def __init__(self, name, argv, log, env=None):
        self.name, self.argv, self.log, self.env = name, [str(word) for word in argv], log, env or {}
        self.pid = self.began = self.popen = None

    def start(self, notify=None):
        env = {**os.environ, **self.env, **({"NOTIFY_SOCKET": notify} if notify else {})}
        with open(self.log, "ab") as out:
            self.popen = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env,
                                          start_new_session=True)
        self.pid = self.popen.pid
        self.began = start_time(self.pid)

    def alive(self):
        if self.popen:
            self.popen.poll()
        return self.pid is not None and self.began is not None and start_time(self.pid) == self.began

    def send(self, number):
        if self.alive():
            os.kill(self.pid, number)

    def wait(self, timeout_s=END_TIMEOUT_S):
        """Until it has ended with all its threads, of which the first may go before the others; then True."""
        try:
            pidfd = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return True
        try:
            ours = start_time(self.pid) in (None, self.began)
            ended = not ours or bool(select.select([pidfd], [], [], timeout_s)[0])
        finally:
            os.close(pidfd)
        self.alive()
        return ended

    def stop(self):
        self.send(signal.SIGTERM)
        if not self.wait():
            self.send(signal.SIGKILL)
            self.wait()

    def kill(self):
        self.send(signal.SIGKILL)
        self.wait()

    def last_words(self):
        lines = Path(self.log).read_text(errors="replace").splitlines()
        return "\n".join(lines[-10:])


class Notices:
    """The socket where daemons tell that they are ready (sd_notify)."""

    def __init__(self, name):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.address = f"@coracle-{os.getpid()}-{id(self):x}-{name}"
        self.socket.bind("\0" + self.address[1:])

    def wait(self, process, timeout_s):
        """Until `process` says READY=1; Failure when it ends first or takes too long."""
        deadline = time.monotonic() + timeout_s
        pidfd = os.pidfd_open(process.pid)
        try:
            while True:
                ready = select.select([self.socket, pidfd], [], [], max(0, deadline - time.monotonic()))[0]
                if self.socket in ready:
                    if b"READY=1" in self.socket.recv(4096):
                        return
                elif pidfd in ready:
                    raise Failure(f"{process.name} has ended; its log {process.log} says:\n{process.last_words()}")
                else:
                    raise Failure(f"{process.name} was not ready within {timeout_s} s; its log is {process.log}")
        finally:
            os.close(pidfd)

    def close(self):
        self.socket.close()


class ControlPlane:
    """Everything in `folder`. A program's path may be replaced, by upstream's too."""

    def __init__(self, folder, programs=None, bin_folder=None):
        self.folder = Path(folder).resolve()
        self.bin = Path(bin_folder or ROOT / "out/dev/bin")
        self.programs = programs or {}
        self.pki, self.logs = self.folder / "pki", self.folder / "log"
        self.kubeconfig = self.folder / "admin.kubeconfig"
        self.processes, self.held = {}, []

    def path(self, name):
        variable = name.upper().replace("-", "_")
        return self.programs.get(name) or os.environ.get(variable) or self.bin / name

    def make(self):
        """Folders, certificates, kubeconfigs; what an earlier run left is forgotten."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.logs.mkdir(parents=True)
        self.held = hold_ports(5)
        self.etcd_port, self.peer_port, self.port, *self.other_ports = (one.getsockname()[1] for one in self.held)
        self.server = f"https://127.0.0.1:{self.port}"
        subprocess.run([self.bin / "setup", "pki", "--dir", self.folder, "--server", self.server], check=True,
                       stdout=subprocess.DEVNULL)
        shutil.copy(self.folder / "super-admin.conf", self.kubeconfig)

    def start(self, names=("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")):
        for name in names:
            self.start_one(name)

    def start_one(self, name, extra=()):
        makers = {"etcd": self.etcd, "kube-apiserver": self.apiserver,
                  "kube-controller-manager": self.controller_manager, "kube-scheduler": self.scheduler}
        argv, env, notifies = makers[name]()
        process = Process(name, [*argv, *extra], self.logs / f"{name}.log", env)
        notices = Notices(name) if notifies else None
        try:
            process.start(notices and notices.address)
            self.processes[name] = process
            if notices:
                notices.wait(process, READY_TIMEOUT_S)
        finally:
            if notices:
                notices.close()
        return process

    def ours(self, name):
        return Path(self.path(name)).resolve() == (self.bin / name).resolve()

    def etcd(self):
        certs = self.pki / "etcd"
        client, peer = f"https://127.0.0.1:{self.etcd_port}", f"https://127.0.0.1:{self.peer_port}"
        argv = [etcd_folder() / "bin/etcd", "--name=local", f"--data-dir={self.folder / 'etcd'}",
                f"--listen-client-urls={client}", f"--advertise-client-urls={client}",
                f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=local={peer}",
                f"--cert-file={certs / 'server.crt'}", f"--key-file={certs / 'server.key'}",
                f"--trusted-ca-file={certs / 'ca.crt'}", "--client-cert-auth=true",
                f"--peer-cert-file={certs / 'peer.crt'}", f"--peer-key-file={certs / 'peer.key'}",
                f"--peer-trusted-ca-file={certs / 'ca.crt'}", "--peer-client-cert-auth=true",
                "--snapshot-count=10000", "--heartbeat-interval=50", "--election-timeout=250", "--log-level=warn"]
        return argv, {"GOGC": "50"}, True

    def apiserver(self):
        pki = self.pki
        argv = [self.path("kube-apiserver"), "--bind-address=127.0.0.1", f"--secure-port={self.port}",
                "--advertise-address=10.255.255.1",
                "--allow-privileged=true", "--authorization-mode=Node,RBAC",
                f"--client-ca-file={pki / 'ca.crt'}", "--enable-admission-plugins=NodeRestriction",
                "--enable-bootstrap-token-auth=true",
                f"--etcd-cafile={pki / 'etcd/ca.crt'}", f"--etcd-certfile={pki / 'apiserver-etcd-client.crt'}",
                f"--etcd-keyfile={pki / 'apiserver-etcd-client.key'}",
                f"--etcd-servers=https://127.0.0.1:{self.etcd_port}",
                f"--kubelet-client-certificate={pki / 'apiserver-kubelet-client.crt'}",
                f"--kubelet-client-key={pki / 'apiserver-kubelet-client.key'}",
                f"--proxy-client-cert-file={pki / 'front-proxy-client.crt'}",
                f"--proxy-client-key-file={pki / 'front-proxy-client.key'}",
                "--requestheader-allowed-names=front-proxy-client",
                f"--requestheader-client-ca-file={pki / 'front-proxy-ca.crt'}",
                "--requestheader-extra-headers-prefix=X-Remote-Extra-", "--requestheader-group-headers=X-Remote-Group",
                "--requestheader-username-headers=X-Remote-User",
                "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
                f"--service-account-key-file={pki / 'sa.pub'}", f"--service-account-signing-key-file={pki / 'sa.key'}",
                f"--service-cluster-ip-range={SERVICE_RANGE}",
                f"--tls-cert-file={pki / 'apiserver.crt'}", f"--tls-private-key-file={pki / 'apiserver.key'}"]
        return argv, {}, True

    def controller_manager(self):
        pki, config = self.pki, self.folder / "controller-manager.conf"
        argv = [self.path("kube-controller-manager"), f"--kubeconfig={config}",
                f"--authentication-kubeconfig={config}", f"--authorization-kubeconfig={config}",
                "--bind-address=127.0.0.1", f"--secure-port={self.other_ports[0]}",
                f"--client-ca-file={pki / 'ca.crt'}", "--allocate-node-cidrs=true", "--cluster-cidr=10.244.0.0/16",
                f"--cluster-signing-cert-file={pki / 'ca.crt'}", f"--cluster-signing-key-file={pki / 'ca.key'}",
                "--leader-elect=true",
                f"--requestheader-client-ca-file={pki / 'front-proxy-ca.crt'}", f"--root-ca-file={pki / 'ca.crt'}",
                f"--service-account-private-key-file={pki / 'sa.key'}",
                f"--service-cluster-ip-range={SERVICE_RANGE}", "--use-service-account-credentials=true"]
        return argv, {}, self.ours("kube-controller-manager")

    def scheduler(self):
        config = self.folder / "scheduler.conf"
        argv = [self.path("kube-scheduler"), f"--kubeconfig={config}", f"--authentication-kubeconfig={config}",
                f"--authorization-kubeconfig={config}", "--bind-address=127.0.0.1",
                f"--secure-port={self.other_ports[1]}", "--leader-elect=true"]
        return argv, {}, self.ours("kube-scheduler")

    def etcdctl(self, *words):
        """What etcd's own tool says, as the API server."""
        done = subprocess.run([etcd_folder() / "bin/etcdctl", f"--endpoints=https://127.0.0.1:{self.etcd_port}",
                               f"--cacert={self.pki / 'etcd/ca.crt'}", f"--cert={self.pki / 'apiserver-etcd-client.crt'}",
                               f"--key={self.pki / 'apiserver-etcd-client.key'}", *words], check=True,
                              stdout=subprocess.PIPE, text=True)
        return done.stdout

    def stop(self):
        for process in reversed(self.processes.values()):
            process.stop()
        for one in self.held:
            one.close()

    def save(self):
        state = {name: [process.pid, process.began] for name, process in self.processes.items()}
        (self.folder / "processes.json").write_text(json.dumps(state))

    def load(self):
        """The processes that an earlier `up` has started."""
        with contextlib.suppress(FileNotFoundError):
            for name, (pid, began) in json.loads((self.folder / "processes.json").read_text()).items():
                process = Process(name, [], self.logs / f"{name}.log")
                process.pid, process.began = pid, began
                self.processes[name] = process


def etcd_folder():
    done = subprocess.run([ROOT / "rootfs/packages/build.py", "--target", "any", "etcd", "--print"], check=True,
                          stdout=subprocess.PIPE, text=True)
    return Path(done.stdout.split()[-1])


def up(folder):
    plane = ControlPlane(folder)
    plane.load()
    if any(process.alive() for process in plane.processes.values()):
        print(f"it is running already; try: kubectl --kubeconfig {plane.kubeconfig} get namespaces")
        return
    etcd_folder()
    plane.processes = {}
    plane.make()
    began = time.monotonic()
    names = ["etcd", *(name for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
                       if Path(plane.path(name)).exists())]
    try:
        for name in names:
            plane.start_one(name)
            print(f"  {time.monotonic() - began:5.2f} s  {name} is ready", flush=True)
    except BaseException:
        plane.stop()
        raise
    plane.save()
    print(f"the control plane is ready; logs are in {plane.logs}\n"
          f"try: kubectl --kubeconfig {plane.kubeconfig} get namespaces; end it with: make control-plane-down")


def down(folder):
    plane = ControlPlane(folder)
    plane.load()
    running = [name for name, process in plane.processes.items() if process.alive()]
    plane.stop()
    (plane.folder / "processes.json").unlink(missing_ok=True)
    print(f"ended: {', '.join(running)}" if running else "nothing was running; start it with: make control-plane")


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("what", choices=("up", "down"))
    parser.add_argument("--dir", default=ROOT / "out/control-plane")
    args = parser.parse_args()
    try:
        (up if args.what == "up" else down)(args.dir)
    except Failure as failure:
        sys.exit(f"control plane: {failure}")


if __name__ == "__main__":
    main()
