"""The administrator's kubeconfig: once, against the code on the screen, from nobody else."""
import base64
import json
import ssl
import subprocess
import urllib.request

import pytest
import yaml
from machine_options import API_PORT, Options
from paths import ROOT
from vm import Machine

ACCESS_PORT = 6444
LINE = r"to administer it, once: coraclectl kubeconfig https://10\.0\.2\.15:6444 ([-a-z0-9]{29})"


@pytest.fixture(scope="module")
def coraclectl():
    subprocess.run(["make", "--no-print-directory", "out/dev/bin/coraclectl"], cwd=ROOT, check=True)

    def run(*words, code=None):
        return subprocess.run([ROOT / "out/dev/bin/coraclectl", "kubeconfig", *words], input=code, text=True,
                              capture_output=True)
    return run


def other(code):
    """A code with the same hash and another secret."""
    return code[:-4] + ("2222" if code[-4:] != "2222" else "3333")


def test_the_kubeconfig_is_fetched_once(images, tmp_path, coraclectl):
    with Machine(tmp_path / "vm", Options(forward={API_PORT: 0, ACCESS_PORT: 0})) as machine:
        machine.wait_ready()
        code = machine.wait_serial(LINE, 60)[1]
        url, api = (f"https://127.0.0.1:{machine.forwarded(port)}" for port in (ACCESS_PORT, API_PORT))
        # Who has not the key of the CA in the code gets no secret: here a code for another CA.
        refused = coraclectl(url, "2222" + code[4:])
        assert refused.returncode == 1 and "the server's certificate is not trusted" in refused.stderr
        for _ in range(4):
            refused = coraclectl(url, code=other(code))
            assert refused.returncode == 1 and "403: that is not the code" in refused.stderr
        refused = coraclectl(url, other(code))
        assert "the screen shows a new one" in refused.stderr
        newer = machine.wait_serial(LINE.replace("([", f"(?!{code})(["), 30)[1]
        assert coraclectl(url, code).returncode == 1
        config = tmp_path / "admin.conf"
        fetched = coraclectl(url, newer, f"--server={api}", f"--out={config}")
        assert fetched.returncode == 0, fetched.stderr
        assert config.stat().st_mode & 0o777 == 0o600
        assert yaml.safe_load(config.read_text())["clusters"][0]["cluster"]["server"] == api
        used = coraclectl(url, newer)
        assert used.returncode == 1 and "410: the code has been used" in used.stderr
        assert can(config, tmp_path)


def can(config, folder):
    """Whether the kubeconfig administers the cluster, by its certificate and CA."""
    said = yaml.safe_load(config.read_text())
    cluster, user = said["clusters"][0]["cluster"], said["users"][0]["user"]
    for name, data in (("crt", user["client-certificate-data"]), ("key", user["client-key-data"])):
        (folder / name).write_bytes(base64.b64decode(data))
    context = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    context.load_cert_chain(folder / "crt", folder / "key")
    url = f"{cluster['server']}/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/kubeadm:cluster-admins"
    with urllib.request.urlopen(url, context=context, timeout=30) as answer:
        return json.load(answer)["roleRef"]["name"] == "cluster-admin"
