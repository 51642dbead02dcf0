"""Services of a running machine: killed, failing, each its own user with its own limits."""
import re

import pytest
from paths import ROOT

DAEMONS = {"etcd": "etcd", "kube-apiserver": "kube-apiserver", "kube-controller-manager": "kube-controller-manager",
           "kube-scheduler": "kube-scheduler", "setup": "root", "status": "root"}
USERS = {line.split(":")[2]: line.split(":")[0] for line in (ROOT / "rootfs/skeleton/etc/passwd").read_text().split()}
UIDS = {name: uid for uid, name in USERS.items()}
RESTART_S = 60
BROKEN = "#!/bin/coracle-run\nlog=no\nnotify=fd\nargv=/usr/bin/no-such-program\n"


def ask(machine, command, timeout_s=RESTART_S + 10):
    status, text = machine.shell(command, timeout_s)
    assert status == 0, f"{command}: {text}"
    return text.strip()


def pid(machine, service):
    return int(ask(machine, f"s6-svstat -o pid /run/service/{service}"))


@pytest.mark.parametrize("service", [name for name in DAEMONS if name != "status"])
def test_a_killed_daemon_comes_back(machine, service):
    before = pid(machine, service)
    ask(machine, f"kill -9 {before}")
    machine.wait_serial(rf"^{service} +ready; it has ended \d+ times", RESTART_S)
    assert pid(machine, service) != before


@pytest.mark.parametrize("service", DAEMONS)
def test_who_it_is_and_what_it_may(machine, service):
    status = ask(machine, f"cat /proc/{pid(machine, service)}/status")
    uid = int(re.search(r"^Uid:\s+(\d+)", status, re.M)[1])
    assert USERS[str(uid)] == DAEMONS[service]
    assert re.search(r"^NoNewPrivs:\s+1", status, re.M)
    bounding = int(re.search(r"^CapBnd:\s+([0-9a-f]+)", status, re.M)[1], 16)
    effective = int(re.search(r"^CapEff:\s+([0-9a-f]+)", status, re.M)[1], 16)
    assert bounding == effective
    assert (bounding == 0) == (service != "setup")
    assert ask(machine, f"cat /proc/{pid(machine, service)}/cgroup") == f"0::/system/{service}"


def test_each_reads_its_own_keys_alone(machine):
    """The keys are root's; each daemon sees those that it needs as its own, in mounts of its own."""
    sees = {
        "etcd": ("pki/etcd/server.key", "pki/etcd/ca.key pki/ca.key pki/sa.key admin.conf"),
        "kube-apiserver": ("pki/apiserver.key pki/sa.key pki/apiserver-etcd-client.key",
                           "pki/ca.key pki/front-proxy-ca.key pki/etcd/ca.key pki/etcd/server.key admin.conf"),
        "kube-controller-manager": ("controller-manager.conf pki/ca.key pki/sa.key",
                                    "pki/apiserver.key pki/front-proxy-ca.key scheduler.conf admin.conf"),
        "kube-scheduler": ("scheduler.conf", "pki/ca.key pki/sa.key controller-manager.conf admin.conf"),
    }
    for service, (own, others) in sees.items():
        root = f"/proc/{pid(machine, service)}/root/etc/kubernetes"
        for name in own.split():
            assert ask(machine, f"stat -c %u:%a {root}/{name}") == f"{UIDS[service]}:600", name
        for name in others.split():
            assert ask(machine, f"stat -c %u:%a {root}/{name}") == "0:600", name
    assert ask(machine, "stat -c %u:%a /var/lib/etcd") == f"{UIDS['etcd']}:700"


def test_a_daemon_that_always_fails_backs_off_and_is_shown(machine):
    ask(machine, "mkdir -p /run/service/broken/supervise && chmod 700 /run/service/broken/supervise && "
                 f"printf '{BROKEN}' > /run/service/broken/run && chmod 755 /run/service/broken/run && "
                 "echo 3 > /run/service/broken/notification-fd && s6-svscanctl -a /run/service")
    try:
        for count, wait_s in ((2, 2), (3, 4), (4, 8)):
            machine.wait_serial(rf"broken +fails: it has ended {count} times, the last with status 111; tried again "
                                rf"after {wait_s} s", 60)
    finally:
        ask(machine, "s6-svc -d /run/service/broken; mv /run/service/broken /run/gone; s6-svscanctl -an /run/service")


def test_what_is_idle_is_small(machine):
    """Anonymous memory of each service, in KiB; and what the whole machine has taken."""
    limits = {"etcd": 64 << 10, "kube-apiserver": 16 << 10, "kube-controller-manager": 12 << 10,
              "kube-scheduler": 8 << 10, "setup": 4 << 10, "status": 1 << 10}
    for service, limit in limits.items():
        status = ask(machine, f"cat /proc/{pid(machine, service)}/status")
        assert int(re.search(r"^RssAnon:\s+(\d+) kB", status, re.M)[1]) <= limit, service
    memory = dict(re.findall(r"^(\w+):\s+(\d+) kB", ask(machine, "cat /proc/meminfo"), re.M))
    assert int(memory["MemTotal"]) - int(memory["MemAvailable"]) <= 128 << 10
