"""Fixtures: a control plane with two nodes whose pods run, and a namespace for each test."""
import pytest
from cluster import API, running
from controllers_api import Api, Kubelets, make_node, NAMESPACES, NODES

FLAGS = {"kube-controller-manager": ("--kube-api-qps=500", "--kube-api-burst=1000", "--node-monitor-grace-period=1h",
                                     "--controllers=*,bootstrapsigner,tokencleaner", "--resource-quota-sync-period=2s")}


@pytest.fixture(scope="session")
def plane(tmp_path_factory):
    with running(tmp_path_factory.mktemp("controllers") / "cp", (*API, "kube-controller-manager"), FLAGS) as plane:
        yield plane


@pytest.fixture(scope="session")
def api(plane):
    api = Api(plane.kubeconfig)
    for name in NODES:
        make_node(api, name)
    kubelets = Kubelets(api)
    kubelets.start()
    yield api
    kubelets.stopping = True


@pytest.fixture
def ns(api):
    """A namespace of the test's own."""
    name = f"test-{next(NAMESPACES)}"
    api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    api.delete(f"/api/v1/namespaces/{name}")
