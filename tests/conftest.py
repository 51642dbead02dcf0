"""The control plane on loopback. `plane` is etcd and kube-apiserver alone, one pair for every test that asks for it;
`cluster` is the whole, fresh for each file of tests. Each test works in a namespace of its own."""
import uuid

import pytest
from client import Client
from cluster import ALL, running


@pytest.fixture(scope="session")
def plane(tmp_path_factory):
    with running(tmp_path_factory.mktemp("plane") / "cp") as plane:
        yield plane


@pytest.fixture(scope="module")
def cluster(tmp_path_factory, request):
    """A file may set CLUSTER_FLAGS: more flags by process."""
    flags = getattr(request.module, "CLUSTER_FLAGS", {})
    with running(tmp_path_factory.mktemp("cluster") / "cp", ALL, flags) as plane:
        yield plane


@pytest.fixture(scope="module")
def whole(cluster):
    """Requests to the whole cluster as its administrator."""
    return Client(cluster.kubeconfig)


@pytest.fixture
def namespace(whole):
    """The name of a namespace that is ready for pods: the controllers have given it its account."""
    name = f"t-{uuid.uuid4().hex[:10]}"
    whole.post("/api/v1/namespaces", {"metadata": {"name": name}})
    whole.wait_one(f"/api/v1/namespaces/{name}/serviceaccounts", "default", lambda account: True)
    return name
