"""Debian's kubectl, the newest and the one of trixie, against the whole cluster."""
import contextlib
import os
import shlex
import subprocess

import pytest
from cluster import ROOT
from nodes import FakeNode

VERSIONS = {"1.36": "kubectl", "1.32": "kubectl-old"}
TIMEOUT_S = 60


class Kubectl:
    """Calls of one kubectl in one namespace."""

    def __init__(self, program, kubeconfig, namespace, folder):
        self.program, self.namespace, self.folder = program, namespace, folder
        self.env = {**os.environ, "KUBECONFIG": str(kubeconfig), "HOME": str(folder)}

    def argv(self, words):
        return [self.program, "-n", self.namespace, *(shlex.split(words) if isinstance(words, str) else words)]

    @contextlib.contextmanager
    def background(self, words):
        """Runs beside the test, its output a pipe, and ends with the block if not before."""
        argv = [*self.argv(words), f"--request-timeout={TIMEOUT_S}s"]
        with subprocess.Popen(argv, env=self.env, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield process
            finally:
                process.terminate()

    def ask(self, words, text=None, **env):
        """Whatever comes of it; `text` is its standard input."""
        return subprocess.run(self.argv(words), env={**self.env, **env}, input=text, text=True, capture_output=True,
                              timeout=TIMEOUT_S, check=False)

    def __call__(self, words, text=None, **env):
        done = self.ask(words, text, **env)
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return done.stdout

    def refused(self, words, text=None):
        done = self.ask(words, text)
        assert done.returncode != 0, f"{words}: {done.stdout}"
        return done.stderr


@pytest.fixture(scope="session", params=VERSIONS)
def program(request):
    made = subprocess.run([ROOT / "rootfs/packages/fetch.py", "set", VERSIONS[request.param]], check=True,
                          stdout=subprocess.PIPE, text=True)
    return f"{made.stdout.split()[-1]}/usr/bin/kubectl"


@pytest.fixture
def kubectl(program, cluster, namespace, tmp_path):
    return Kubectl(program, cluster.kubeconfig, namespace, tmp_path)


@pytest.fixture(scope="module")
def nodes(whole):
    """Three that run what is bound to them; a test that lets one vanish starts it again."""
    made = [FakeNode(whole, f"node-{number}", f"10.0.0.{number}") for number in (1, 2, 3)]
    for node in made:
        node.start()
    yield made
    for node in made:
        node.vanish()
