"""A server of lib/http per test module or per test."""
import contextlib

import pytest
from http_server import running


@pytest.fixture(scope="module")
def plain():
    with running() as server:
        yield server


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    with running(tmp_path_factory.mktemp("pki")) as server:
        yield server


@pytest.fixture
def start(tmp_path):
    """start(tls=True, head_timeout_ms=200): a server of the test's own."""
    with contextlib.ExitStack() as stack:
        yield lambda tls=False, **options: stack.enter_context(running(tmp_path if tls else None, **options))
