"""Secrets that hold a token of a service account."""
import base64
import http.client
import json

import pytest
from controllers_api import Refused, core

ACCOUNT = "kubernetes.io/service-account.name"


def make_account(api, ns, name):
    return api.create(core(ns, "serviceaccounts"), {"apiVersion": "v1", "kind": "ServiceAccount",
                                                    "metadata": {"name": name}})


def make_secret(api, ns, name, account):
    api.create(core(ns, "secrets"), {"apiVersion": "v1", "kind": "Secret", "metadata": {
        "name": name, "annotations": {ACCOUNT: account}}, "type": "kubernetes.io/service-account-token"})


def complete(name):
    return lambda all: name in all and {"token", "ca.crt", "namespace"} <= all[name].get("data", {}).keys()


def who_is(api, token):
    connection = http.client.HTTPSConnection(api.host, int(api.port), context=api.context)
    connection.request("POST", "/apis/authentication.k8s.io/v1/tokenreviews",
                       json.dumps({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview",
                                   "spec": {"token": token}}), {"Content-Type": "application/json"})
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer["status"]


def test_a_secret_gets_a_token_of_its_account(api, ns, plane):
    account = make_account(api, ns, "robot")
    make_secret(api, ns, "robot-token", "robot")
    secret = api.until(core(ns, "secrets"), complete("robot-token"))["robot-token"]
    data = {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}
    assert data["namespace"] == ns
    assert data["ca.crt"] == (plane.pki / "ca.crt").read_text()
    assert secret["metadata"]["annotations"]["kubernetes.io/service-account.uid"] == account["metadata"]["uid"]
    status = who_is(api, data["token"])
    assert status["authenticated"]
    assert status["user"]["username"] == f"system:serviceaccount:{ns}:robot"
    api.patch(core(ns, "secrets", "robot-token"), {"data": {"token": None}})
    api.until(core(ns, "secrets"), complete("robot-token"))


def test_a_token_goes_with_its_account(api, ns):
    make_account(api, ns, "robot")
    make_secret(api, ns, "robot-token", "robot")
    api.until(core(ns, "secrets"), complete("robot-token"))
    api.delete(core(ns, "serviceaccounts", "robot"))
    api.until(core(ns, "secrets"), lambda all: "robot-token" not in all)
    make_secret(api, ns, "stray", "nobody")
    api.until(core(ns, "secrets"), lambda all: "stray" not in all)


def test_an_account_forgets_a_token_that_is_deleted(api, ns):
    make_account(api, ns, "robot")
    make_secret(api, ns, "robot-token", "robot")
    api.until(core(ns, "secrets"), complete("robot-token"))
    api.patch(core(ns, "serviceaccounts", "robot"), {"secrets": [{"name": "robot-token"}, {"name": "later"}]})
    api.delete(core(ns, "secrets", "robot-token"))
    api.until(core(ns, "serviceaccounts"), lambda all: all["robot"].get("secrets") == [{"name": "later"}])
    with pytest.raises(Refused):
        api.get(core(ns, "secrets", "robot-token"))
