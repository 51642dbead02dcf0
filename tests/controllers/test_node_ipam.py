"""Node IPAM: each node has ranges of pod addresses of its own, of every family of the cluster."""
import ipaddress

import pytest
from cluster import API, running
from controllers_api import Api, make_node

NODES = "/api/v1/nodes"


@pytest.fixture(scope="module")
def dual(tmp_path_factory):
    """A cluster of two families with room for four nodes."""
    with running(tmp_path_factory.mktemp("ipam") / "cp", API) as plane:
        api = Api(plane.kubeconfig)
        make_node(api, "early", podCIDR="10.8.1.0/24", podCIDRs=["10.8.1.0/24", "fd00:8:0:1::/64"])
        plane.start_one("kube-controller-manager", ["--controllers=nodeipam", "--cluster-cidr=10.8.0.0/22,fd00:8::/56",
                                                    "--service-cluster-ip-range=10.8.3.0/24,fd00:8:0:2::/64"])
        yield api


def ranges(nodes):
    return {name: node["spec"].get("podCIDRs") for name, node in nodes.items()}


def have_ranges(*names):
    return lambda found: all(name in found and found[name]["spec"].get("podCIDRs") for name in names)


def test_nodes_get_ranges_of_their_own(api):
    found = api.until(NODES, have_ranges("node-a", "node-b"))
    one, other = (ipaddress.ip_network(found[name]["spec"]["podCIDR"]) for name in ("node-a", "node-b"))
    cluster = ipaddress.ip_network("10.244.0.0/16")
    assert one.prefixlen == other.prefixlen == 24
    assert one.subnet_of(cluster) and other.subnet_of(cluster) and not one.overlaps(other)
    assert found["node-a"]["spec"]["podCIDRs"] == [str(one)]


def test_ranges_of_both_families_leave_out_what_is_taken(dual):
    make_node(dual, "a")
    make_node(dual, "b")
    given = ranges(dual.until(NODES, have_ranges("a", "b")))
    assert {given[name][0] for name in "ab"} == {"10.8.0.0/24", "10.8.2.0/24"}
    assert not {"fd00:8:0:1::/64", "fd00:8:0:2::/64"}.intersection(given[name][1] for name in "ab")
    assert all(ipaddress.ip_network(given[name][1]).subnet_of(ipaddress.ip_network("fd00:8::/56")) for name in "ab")
    make_node(dual, "c")
    said = dual.until("/api/v1/namespaces/default/events",
                      lambda all: any(e["reason"] == "CIDRNotAvailable" for e in all.values()))
    told = [e for e in said.values() if e["reason"] == "CIDRNotAvailable"][0]
    assert (told["type"], told["message"]) == ("Normal", "Node c status is now: CIDRNotAvailable")
    dual.delete(f"{NODES}/a")
    assert ranges(dual.until(NODES, have_ranges("c")))["c"][0] == given["a"][0]
