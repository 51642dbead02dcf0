"""Fixtures: a control plane with two nodes whose pods run, and a namespace for each test."""
import pytest
from controllers_api import Api, ControlPlane, Kubelets, make_node, NAMESPACES, NODES


@pytest.fixture(scope="session")
def plane(tmp_path_factory):
    plane = ControlPlane(tmp_path_factory.mktemp("controllers"))
    plane.make()
    try:
        for name in ("etcd", "kube-apiserver"):
            plane.start_one(name)
        plane.start_one("kube-controller-manager", ["--kube-api-qps=500", "--kube-api-burst=1000",
                                                    "--controllers=*,bootstrapsigner,tokencleaner",
                                                    "--node-monitor-grace-period=1h"])
        yield plane
    finally:
        plane.stop()


@pytest.fixture(scope="session")
def api(plane):
    api = Api(plane)
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
