"""What stands in etcd, as upstream's own types read it."""
import json
import subprocess

import pytest
from client import Client
from cluster import ROOT
from control_plane import etcd_folder


@pytest.fixture(scope="session")
def api(plane):
    return Client(plane.kubeconfig)


@pytest.fixture(scope="session")
def decoder():
    out = ROOT / "out/test/decode"
    subprocess.run([ROOT / "rootfs/packages/go-build", ROOT / "tests/swap/decode", out], check=True)
    return out


@pytest.fixture
def stored(plane, decoder):
    """Every value below /registry/: what it is in upstream's eyes, by key."""
    argv = [etcd_folder() / "bin/etcdctl", f"--endpoints=https://127.0.0.1:{plane.etcd_port}",
            f"--cacert={plane.pki / 'etcd/ca.crt'}", f"--cert={plane.pki / 'apiserver-etcd-client.crt'}",
            f"--key={plane.pki / 'apiserver-etcd-client.key'}", "get", "--prefix", "/registry/", "-w", "json"]

    def read():
        dump = subprocess.run(argv, check=True, capture_output=True).stdout
        done = subprocess.run([decoder], input=dump, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        return {one["key"]: one for one in map(json.loads, done.stdout.splitlines())}

    return read
