"""Bootstrap tokens: cluster-info is signed by them, ended ones go; what nodes are told of caching."""
import base64
import hashlib
import hmac
import itertools
import json
import time

import pytest
from controllers_api import core

CONFIG_MAPS, SECRETS = core("kube-public", "configmaps"), core("kube-system", "secrets")
IDS = (f"test{number:02}" for number in itertools.count())
CONTENT = "apiVersion: v1\nkind: Config\n"


def base64url(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def signature(content, token_id, secret):
    header = base64url(json.dumps({"alg": "HS256", "kid": token_id}, separators=(",", ":")).encode())
    signed = hmac.digest(secret.encode(), f"{header}.{base64url(content.encode())}".encode(), hashlib.sha256)
    return f"{header}..{base64url(signed)}"


def make_token(api, **data):
    token_id = next(IDS)
    api.create(SECRETS, {"apiVersion": "v1", "kind": "Secret", "type": "bootstrap.kubernetes.io/token",
                         "metadata": {"name": f"bootstrap-token-{token_id}"},
                         "stringData": {"token-id": token_id, "token-secret": "0123456789abcdef",
                                        "usage-bootstrap-signing": "true", **data}})
    return token_id


@pytest.fixture
def cluster_info(api):
    api.create(CONFIG_MAPS, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cluster-info"},
                             "data": {"kubeconfig": CONTENT, "other": "kept"}})
    yield
    api.delete(f"{CONFIG_MAPS}/cluster-info")


def signed_as(data):
    return lambda all: "cluster-info" in all and all["cluster-info"]["data"] == {"other": "kept", **data}


def test_should_sign_the_new_added_bootstrap_tokens(api, cluster_info):
    first, silent = make_token(api), make_token(api, **{"usage-bootstrap-signing": "false"})
    data = {"kubeconfig": CONTENT, f"jws-kubeconfig-{first}": signature(CONTENT, first, "0123456789abcdef")}
    api.until(CONFIG_MAPS, signed_as(data))
    api.patch(f"{CONFIG_MAPS}/cluster-info", {"data": {"kubeconfig": "new"}})
    data = {"kubeconfig": "new", f"jws-kubeconfig-{first}": signature("new", first, "0123456789abcdef")}
    api.until(CONFIG_MAPS, signed_as(data))
    api.delete(f"{SECRETS}/bootstrap-token-{first}")
    api.until(CONFIG_MAPS, signed_as({"kubeconfig": "new"}))
    api.delete(f"{SECRETS}/bootstrap-token-{silent}")


def test_should_delete_the_token_secret_when_the_secret_expired(api):
    def at(seconds):
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))

    over, soon, later = (make_token(api, expiration=at(seconds)) for seconds in (-60, 2, 3600))
    api.until(SECRETS, lambda all: not {f"bootstrap-token-{one}" for one in (over, soon)}.intersection(all))
    assert api.get(f"{SECRETS}/bootstrap-token-{later}")["metadata"]["name"]
    api.delete(f"{SECRETS}/bootstrap-token-{later}")


def test_nodes_are_told_how_long_they_may_keep_what_they_know(api):
    api.until("/api/v1/nodes", lambda all: all and all["node-a"]["metadata"].get("annotations", {}).get(
        "node.alpha.kubernetes.io/ttl") == "0")
