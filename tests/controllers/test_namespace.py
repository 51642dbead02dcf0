"""C02: namespaces, after apimachinery/namespace.go; what every namespace is given."""
import pytest
from controllers_api import Refused, core


def make(api, name):
    api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})


def pod(name, **meta):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, **meta},
            "spec": {"containers": [{"name": "c", "image": "one"}]}}


def gone(name):
    return lambda all: name not in all


def test_should_ensure_that_all_services_are_removed_when_a_namespace_is_deleted(api):
    make(api, "with-service")
    api.create(core("with-service", "services"), {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"},
                                                  "spec": {"ports": [{"port": 80}], "selector": {"a": "b"}}})
    api.delete("/api/v1/namespaces/with-service")
    api.until("/api/v1/namespaces", gone("with-service"))
    make(api, "with-service")
    assert api.get(core("with-service", "services"))["items"] == []
    api.delete("/api/v1/namespaces/with-service")


def test_should_ensure_that_all_pods_are_removed_when_a_namespace_is_deleted(api):
    make(api, "with-pod")
    api.until(core("with-pod", "serviceaccounts"), lambda all: "default" in all)
    api.create(core("with-pod", "pods"), pod("p"))
    api.delete("/api/v1/namespaces/with-pod")
    api.until("/api/v1/namespaces", gone("with-pod"))
    with pytest.raises(Refused) as refused:
        api.get(core("with-pod", "pods", "p"))
    assert refused.value.status == 404


def test_namespace_deletion_should_delete_pod_first(api):
    make(api, "ordered")
    api.until(core("ordered", "serviceaccounts"), lambda all: "default" in all)
    api.create(core("ordered", "pods"), pod("p", finalizers=["example.com/hold"]))
    api.create(core("ordered", "configmaps"), {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kept"}})
    api.delete("/api/v1/namespaces/ordered")

    def waits(all):
        conditions = all["ordered"]["status"].get("conditions", [])
        return any(c["type"] == "NamespaceContentRemaining" and c["status"] == "True" for c in conditions)

    found = api.until("/api/v1/namespaces", waits)["ordered"]["status"]
    messages = {c["type"]: c["message"] for c in found["conditions"]}
    assert found["phase"] == "Terminating"
    assert messages["NamespaceContentRemaining"] == "Some resources are remaining: pods. has 1 resource instances"
    assert messages["NamespaceFinalizersRemaining"] == ("Some content in the namespace has finalizers remaining: "
                                                        "example.com/hold in 1 resource instances")
    assert api.get(core("ordered", "configmaps", "kept"))["metadata"]["name"] == "kept"
    api.patch(core("ordered", "pods", "p"), {"metadata": {"finalizers": None}})
    api.until("/api/v1/namespaces", gone("ordered"))


def test_should_apply_a_finalizer_to_a_namespace(api):
    make(api, "finalized")
    found = api.get("/api/v1/namespaces/finalized")
    found["spec"]["finalizers"].append("example.com/mine")
    api.call("PUT", "/api/v1/namespaces/finalized/finalize", found)
    api.delete("/api/v1/namespaces/finalized")
    left = api.until("/api/v1/namespaces", lambda all: all["finalized"]["spec"]["finalizers"] == ["example.com/mine"])
    left = left["finalized"]
    left["spec"]["finalizers"] = []
    api.call("PUT", "/api/v1/namespaces/finalized/finalize", left)
    api.until("/api/v1/namespaces", gone("finalized"))


def test_every_namespace_has_a_default_service_account(api, ns):
    found = api.until(core(ns, "serviceaccounts"), lambda all: "default" in all)
    api.delete(core(ns, "serviceaccounts", "default"))
    uid = found["default"]["metadata"]["uid"]
    api.until(core(ns, "serviceaccounts"),
              lambda all: "default" in all and all["default"]["metadata"]["uid"] != uid)


def test_should_guarantee_kube_root_ca_crt_exist_in_any_namespace(api, ns):
    name = "kube-root-ca.crt"
    found = api.until(core(ns, "configmaps"), lambda all: name in all)[name]
    assert "BEGIN CERTIFICATE" in found["data"]["ca.crt"]
    api.delete(core(ns, "configmaps", name))
    api.until(core(ns, "configmaps"),
              lambda all: name in all and all[name]["metadata"]["uid"] != found["metadata"]["uid"])
    api.patch(core(ns, "configmaps", name), {"data": {"ca.crt": ""}})
    api.until(core(ns, "configmaps"), lambda all: all[name]["data"] == found["data"])
