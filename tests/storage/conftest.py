"""A member of etcd per test, and the storage over it."""
import pytest
from etcd_member import Etcd, Storage


@pytest.fixture
def etcd(tmp_path):
    member = Etcd(tmp_path)
    member.start()
    yield member
    member.kill()


@pytest.fixture
def storage(etcd):
    return Storage(etcd.url)
