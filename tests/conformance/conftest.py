"""Custom resources for the tests of this folder."""
import pytest
from client import Client
from custom import CRDS, Custom


@pytest.fixture(scope="module")
def api(plane):
    return Client(plane.kubeconfig)


@pytest.fixture
def define(api):
    """Defines a custom resource, which goes with the test."""
    made = []

    def make(schema, *versions, **version):
        made.append(Custom(api, schema, versions or ("v1",), **version))
        return made[-1]
    yield make
    for custom in made:
        if api.ask("DELETE", custom.path).status < 300:
            api.wait_gone(CRDS, custom.name)
