"""C03: quotas, after apimachinery/resource_quota.go; a replication controller over quota, after apps/rc.go."""
import threading

import pytest
from controllers_api import Refused, apps, core, template, workload

EVERYTHING = {"services": "10", "services.nodeports": "1", "services.loadbalancers": "1", "pods": "5", "cpu": "1",
              "memory": "500Mi", "ephemeral-storage": "50Gi", "requests.example.com/dongle": "3", "configmaps": "10",
              "secrets": "10", "persistentvolumeclaims": "10", "requests.storage": "10Gi",
              "resourcequotas": "1", "replicationcontrollers": "5", "count/replicasets.apps": "5",
              "gold.storageclass.storage.k8s.io/persistentvolumeclaims": "10",
              "gold.storageclass.storage.k8s.io/requests.storage": "10Gi"}


def make(api, ns, hard, name="quota", **spec):
    return api.create(core(ns, "resourcequotas"), {"apiVersion": "v1", "kind": "ResourceQuota",
                                                   "metadata": {"name": name}, "spec": {"hard": hard, **spec}})


def used(api, ns, wanted, name="quota"):
    """Waits until the quota's status shows these of what is used, and all of them are known."""
    def holds(all):
        quota = all.get(name, {})
        status = quota.get("status", {})
        return (status.get("hard") == quota.get("spec", {}).get("hard") and
                {key: status.get("used", {}).get(key) for key in wanted} == wanted and
                status["used"].keys() == status["hard"].keys())
    return api.until(core(ns, "resourcequotas"), holds)[name]


def pod(name, requests=None, limits=None, **spec):
    resources = {"requests": requests or {}, "limits": limits or {}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"kubelet": "off"}},
            "spec": {"containers": [{"name": "c", "image": "one", "resources": resources}], **spec}}


def refused(api, path, body, reason):
    with pytest.raises(Refused) as answer:
        api.create(path, body)
    assert (answer.value.status, answer.value.body["reason"]) == (403, "Forbidden")
    assert reason in answer.value.body["message"], answer.value.body["message"]


def lives(api, ns, path, body, counted):
    """One object is counted while it is there."""
    make(api, ns, EVERYTHING)
    before = used(api, ns, {})["status"]["used"]
    api.create(path, body)
    used(api, ns, {key: str(int(before[key]) + number) for key, number in counted.items()})
    api.delete(f"{path}/{body['metadata']['name']}")
    used(api, ns, before)


def test_should_create_a_resource_quota_and_ensure_its_status_is_promptly_calculated(api, ns):
    api.until(core(ns, "configmaps"), lambda all: "kube-root-ca.crt" in all)
    make(api, ns, EVERYTHING)
    found = used(api, ns, {"resourcequotas": "1", "configmaps": "1", "pods": "0", "cpu": "0"})
    assert found["status"]["hard"] == EVERYTHING


def test_should_create_a_resource_quota_and_capture_the_life_of_a_service(api, ns):
    def service(name, kind, **spec):
        return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
                "spec": {"type": kind, "ports": [{"port": 80}], **spec}}

    make(api, ns, {"services": "4", "services.nodeports": "1", "services.loadbalancers": "1"})
    used(api, ns, {"services": "0"})
    api.create(core(ns, "services"), service("plain", "ClusterIP"))
    api.create(core(ns, "services"), service("ports", "NodePort"))
    used(api, ns, {"services": "2", "services.nodeports": "1", "services.loadbalancers": "0"})
    refused(api, core(ns, "services"), service("more", "NodePort"),
            "exceeded quota: quota, requested: services.nodeports=1, used: services.nodeports=1, "
            "limited: services.nodeports=1")
    refused(api, core(ns, "services"), service("balanced", "LoadBalancer"), "requested: services.nodeports=1, used")
    api.create(core(ns, "services"), service("balanced", "LoadBalancer", allocateLoadBalancerNodePorts=False))
    used(api, ns, {"services": "3", "services.nodeports": "1", "services.loadbalancers": "1"})
    api.patch(core(ns, "services", "ports"), {"spec": {"type": "ClusterIP"}})
    used(api, ns, {"services": "3", "services.nodeports": "0"})
    for name in ("plain", "ports", "balanced"):
        api.delete(core(ns, "services", name))
    used(api, ns, {"services": "0", "services.nodeports": "0", "services.loadbalancers": "0"})


def test_should_create_a_resource_quota_and_capture_the_life_of_a_secret(api, ns):
    lives(api, ns, core(ns, "secrets"), {"metadata": {"name": "s"}, "data": {}}, {"secrets": 1})


def test_should_create_a_resource_quota_and_capture_the_life_of_a_config_map(api, ns):
    api.until(core(ns, "configmaps"), lambda all: "kube-root-ca.crt" in all)
    lives(api, ns, core(ns, "configmaps"), {"metadata": {"name": "c"}}, {"configmaps": 1})


def test_should_create_a_resource_quota_and_capture_the_life_of_a_replication_controller(api, ns):
    api.until(core(ns, "configmaps"), lambda all: "kube-root-ca.crt" in all)
    lives(api, ns, core(ns, "replicationcontrollers"), {
        "metadata": {"name": "r"}, "spec": {"replicas": 0, "selector": {"app": "r"}, "template": template("r")}},
        {"replicationcontrollers": 1})


def test_should_create_a_resource_quota_and_capture_the_life_of_a_replica_set(api, ns):
    api.until(core(ns, "configmaps"), lambda all: "kube-root-ca.crt" in all)
    lives(api, ns, apps(ns, "replicasets"), workload("ReplicaSet", "r", 0), {"count/replicasets.apps": 1})


def test_should_create_a_resource_quota_and_capture_the_life_of_a_persistent_volume_claim(api, ns):
    make(api, ns, EVERYTHING)
    used(api, ns, {"persistentvolumeclaims": "0"})
    api.create(core(ns, "persistentvolumeclaims"), {
        "metadata": {"name": "c"}, "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "gold",
                                            "resources": {"requests": {"storage": "1Gi"}}}})
    used(api, ns, {"persistentvolumeclaims": "1", "requests.storage": "1Gi",
                   "gold.storageclass.storage.k8s.io/persistentvolumeclaims": "1",
                   "gold.storageclass.storage.k8s.io/requests.storage": "1Gi"})
    api.delete(core(ns, "persistentvolumeclaims", "c"))
    used(api, ns, {"persistentvolumeclaims": "0", "requests.storage": "0"})


def test_should_create_a_resource_quota_and_capture_the_life_of_a_pod(api, ns):
    asks = {"cpu": "500m", "memory": "252Mi", "ephemeral-storage": "30Gi", "example.com/dongle": "2"}
    make(api, ns, EVERYTHING)
    used(api, ns, {"pods": "0"})
    api.create(core(ns, "pods"), pod("p", asks, {"example.com/dongle": "2"}))
    taken = {"pods": "1", "cpu": "500m", "memory": "252Mi", "ephemeral-storage": "30Gi",
             "requests.example.com/dongle": "2"}
    used(api, ns, taken)
    refused(api, core(ns, "pods"), pod("big", {"cpu": "600m", "memory": "100Mi"}),
            "exceeded quota: quota, requested: cpu=600m, used: cpu=500m, limited: cpu=1")
    refused(api, core(ns, "pods"), pod("gpu", {"cpu": "1m", "memory": "1Mi", "example.com/dongle": "2"},
                                       {"example.com/dongle": "2"}),
            "requested: requests.example.com/dongle=2, used: requests.example.com/dongle=2, limited: ")
    refused(api, core(ns, "pods"), pod("silent"), "failed quota: quota: must specify cpu for: c; memory for: c")
    api.patch(core(ns, "pods", "p"), {"metadata": {"labels": {"a": "b"}}})
    used(api, ns, taken)
    api.patch(core(ns, "pods", "p") + "/status", {"status": {"phase": "Succeeded"}})
    used(api, ns, {"pods": "0", "cpu": "0", "memory": "0", "ephemeral-storage": "0",
                   "requests.example.com/dongle": "0"})


def test_should_verify_resource_quota_with_terminating_scopes(api, ns):
    make(api, ns, {"pods": "5", "cpu": "1"}, "terminating", scopes=["Terminating"])
    make(api, ns, {"pods": "5", "cpu": "1"}, "lasting", scopes=["NotTerminating"])
    used(api, ns, {"pods": "0"}, "terminating")
    used(api, ns, {"pods": "0"}, "lasting")
    api.create(core(ns, "pods"), pod("long", {"cpu": "500m"}))
    used(api, ns, {"pods": "1", "cpu": "500m"}, "lasting")
    used(api, ns, {"pods": "0", "cpu": "0"}, "terminating")
    api.create(core(ns, "pods"), pod("short", {"cpu": "250m"}, activeDeadlineSeconds=3600))
    used(api, ns, {"pods": "1", "cpu": "250m"}, "terminating")
    used(api, ns, {"pods": "1", "cpu": "500m"}, "lasting")
    api.delete(core(ns, "pods", "long"), grace=0)
    used(api, ns, {"pods": "0", "cpu": "0"}, "lasting")


def test_should_verify_resource_quota_with_best_effort_scope(api, ns):
    make(api, ns, {"pods": "5"}, "best", scopes=["BestEffort"])
    make(api, ns, {"pods": "5"}, "other", scopes=["NotBestEffort"])
    used(api, ns, {"pods": "0"}, "best")
    used(api, ns, {"pods": "0"}, "other")
    api.create(core(ns, "pods"), pod("b"))
    used(api, ns, {"pods": "1"}, "best")
    used(api, ns, {"pods": "0"}, "other")
    api.create(core(ns, "pods"), pod("o", {"cpu": "1"}))
    used(api, ns, {"pods": "1"}, "other")


def test_should_verify_resource_quota_with_a_priority_class_through_a_scope_selector(api, ns):
    api.create("/apis/scheduling.k8s.io/v1/priorityclasses", {"metadata": {"name": f"{ns}-high"}, "value": 10})
    selector = {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "In", "values": [f"{ns}-high"]}]}
    make(api, ns, {"pods": "1"}, scopeSelector=selector)
    used(api, ns, {"pods": "0"})
    api.create(core(ns, "pods"), pod("plain"))
    api.create(core(ns, "pods"), pod("one", priorityClassName=f"{ns}-high"))
    refused(api, core(ns, "pods"), pod("two", priorityClassName=f"{ns}-high"), "exceeded quota: quota")
    used(api, ns, {"pods": "1"})


def test_should_be_able_to_update_and_delete_resource_quota(api, ns):
    make(api, ns, {"cpu": "1", "memory": "500Mi"})
    found = used(api, ns, {"cpu": "0"})
    found["spec"]["hard"] = {"cpu": "2", "memory": "1Gi"}
    api.put(core(ns, "resourcequotas", "quota"), found)
    assert used(api, ns, {"cpu": "0", "memory": "0"})["spec"]["hard"] == {"cpu": "2", "memory": "1Gi"}
    api.delete(core(ns, "resourcequotas", "quota"))
    api.until(core(ns, "resourcequotas"), lambda all: not all)


def test_should_manage_the_lifecycle_of_a_resource_quota(api, ns):
    make(api, ns, {"cpu": "1", "memory": "500Mi"})
    path = core(ns, "resourcequotas", "quota")
    api.patch(path, {"metadata": {"labels": {"kind": "patched"}}, "spec": {"hard": {"memory": "750Mi"}}}, "strategic-merge")
    listed = api.get("/api/v1/resourcequotas?labelSelector=kind%3Dpatched")["items"]
    assert [one["spec"]["hard"]["memory"] for one in listed] == ["750Mi"]
    api.delete(core(ns, "resourcequotas") + "?labelSelector=kind%3Dpatched")
    api.until(core(ns, "resourcequotas"), lambda all: not all)


def test_should_apply_changes_to_a_resource_quota_status(api, ns):
    make(api, ns, {"cpu": "500m", "memory": "500Mi"})
    used(api, ns, {"cpu": "0"})
    path = core(ns, "resourcequotas", "quota")
    found = api.patch(f"{path}/status", {"status": {"hard": {"cpu": "2", "memory": "2Gi"}}}, "strategic-merge")
    assert found["spec"]["hard"] == {"cpu": "500m", "memory": "500Mi"}
    assert found["status"]["hard"] == {"cpu": "2", "memory": "2Gi"}
    used(api, ns, {"cpu": "0"})


def test_should_surface_a_failure_condition_on_a_common_issue_like_exceeded_quota(api, ns):
    make(api, ns, {"pods": "2"})
    used(api, ns, {"pods": "0"})
    path = core(ns, "replicationcontrollers")
    api.create(path, {"metadata": {"name": "r"}, "spec": {"replicas": 3, "selector": {"app": "r"},
                                                          "template": template("r")}})

    def fails(all):
        conditions = {c["type"]: c for c in all["r"].get("status", {}).get("conditions", [])}
        return "exceeded quota" in conditions.get("ReplicaFailure", {}).get("message", "")

    api.until(path, fails)
    api.patch(f"{path}/r", {"spec": {"replicas": 2}})
    api.until(path, lambda all: not all["r"]["status"].get("conditions"))


def test_writers_at_once_share_a_quota_exactly(api, ns):
    make(api, ns, {"count/secrets": "20"})
    used(api, ns, {"count/secrets": "0"})
    taken, over = [], []

    def write(number):
        for each in range(4):
            try:
                taken.append(api.create(core(ns, "secrets"), {"metadata": {"name": f"s-{number}-{each}"}}))
            except Refused as answer:
                over.append(answer.status)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(10)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert (len(taken), over) == (20, [403] * 20)
    used(api, ns, {"count/secrets": "20"})


def test_a_dry_run_uses_nothing_and_is_refused_where_the_real_one_would_be(api, ns):
    make(api, ns, {"count/secrets": "1"})
    used(api, ns, {"count/secrets": "0"})
    for _ in range(2):
        api.create(core(ns, "secrets") + "?dryRun=All", {"metadata": {"name": "s"}})
    api.create(core(ns, "secrets"), {"metadata": {"name": "s"}})
    refused(api, core(ns, "secrets") + "?dryRun=All", {"metadata": {"name": "t"}}, "exceeded quota: quota")


@pytest.mark.parametrize("spec, message", [
    ({"hard": {"nonsense": "1"}}, 'spec.hard[nonsense]: Invalid value: "nonsense": must be a standard resource for quota'),
    ({"hard": {"pods": "-1"}}, 'spec.hard[pods]: Invalid value: "-1": must be greater than or equal to 0'),
    ({"hard": {"pods": "1.5"}}, "must be an integer"),
    ({"hard": {"pods": "1"}, "scopes": ["BestEffort", "NotBestEffort"]}, "conflicting scopes"),
    ({"hard": {"services": "1"}, "scopes": ["BestEffort"]}, "unsupported scope applied to resource"),
    ({"hard": {"pods": "1"}, "scopeSelector": {"matchExpressions": [
        {"scopeName": "PriorityClass", "operator": "In"}]}}, "must be at least one value when `operator` is 'In'"),
])
def test_a_quota_that_makes_no_sense_is_refused(api, ns, spec, message):
    with pytest.raises(Refused) as answer:
        make(api, ns, **spec)
    assert answer.value.status == 422
    assert message in answer.value.body["message"]
