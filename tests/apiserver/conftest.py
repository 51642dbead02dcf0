"""etcd and kube-apiserver on loopback, one pair for all tests of this folder; each test has a namespace."""
import sys
import uuid
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "services/tools"))

from client import Client  # noqa: E402
from control_plane import ControlPlane  # noqa: E402


@pytest.fixture(scope="session")
def plane(tmp_path_factory):
    plane = ControlPlane(tmp_path_factory.mktemp("plane") / "cp")
    plane.make()
    try:
        plane.start(("etcd", "kube-apiserver"))
        yield plane
    finally:
        plane.stop()


@pytest.fixture(scope="session")
def api(plane):
    return Client(plane.kubeconfig)


@pytest.fixture
def ns(api):
    """A namespace of the test's own with the service account that pods need."""
    name = f"t-{uuid.uuid4().hex[:10]}"
    api.post("/api/v1/namespaces", {"metadata": {"name": name}})
    api.post(f"/api/v1/namespaces/{name}/serviceaccounts", {"metadata": {"name": "default"}})
    return f"/api/v1/namespaces/{name}"
