"""etcd and kube-apiserver alone, and whom a test wants to be."""
import pytest
from auth_server import Server


@pytest.fixture(scope="session")
def server(plane, tmp_path_factory):
    return Server(plane, tmp_path_factory.mktemp("auth"))
