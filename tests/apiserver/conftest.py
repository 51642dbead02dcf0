"""Requests to etcd and kube-apiserver alone; each test has a namespace."""
import uuid

import pytest
from client import Client


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
