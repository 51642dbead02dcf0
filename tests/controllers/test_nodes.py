"""C09, C13 and what happens to nodes and their pods: disruption budgets, taints, nodes that go."""
from controllers_api import apps, core, is_ready, make_node, workload


def budgets(ns, name=""):
    return f"/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets" + (f"/{name}" if name else "")


def budget(name, **spec):
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": name},
            "spec": {"selector": {"matchLabels": {"app": "web"}}, **spec}}


def test_disruption_controller_should_observe_pod_disruption_budget_status_updated(api, ns):
    api.create(budgets(ns), budget("b", minAvailable=2))
    api.create(budgets(ns), budget("half", maxUnavailable="50%"))
    api.create(apps(ns, "replicasets"), workload("ReplicaSet", "web", 3))
    found = api.until(budgets(ns), lambda all: all["b"]["status"].get("disruptionsAllowed") == 1
                      and all["half"]["status"].get("currentHealthy") == 3)
    status = found["b"]["status"]
    assert (status["expectedPods"], status["desiredHealthy"], status["currentHealthy"]) == (3, 2, 3)
    assert [(c["type"], c["status"], c["reason"]) for c in status["conditions"]] == [
        ("DisruptionAllowed", "True", "SufficientPods")]
    assert (found["half"]["status"]["desiredHealthy"], found["half"]["status"]["disruptionsAllowed"]) == (1, 2)


def pod_on(node, seconds=None):
    toleration = {"key": "example.com/evict", "operator": "Exists", "effect": "NoExecute"}
    if seconds is not None:
        toleration["tolerationSeconds"] = seconds
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
            "spec": {"nodeName": node, "tolerations": [toleration], "containers": [{"name": "c", "image": "one"}]}}


TAINT = {"key": "example.com/evict", "value": "yes", "effect": "NoExecute"}


def test_no_execute_taint_evicts_pods_with_min_toleration_seconds(api, ns):
    make_node(api, f"{ns}-n")
    api.until(core(ns, "serviceaccounts"), lambda all: "default" in all)
    api.create(core(ns, "pods"), pod_on(f"{ns}-n", 1))
    api.patch(f"/api/v1/nodes/{ns}-n", {"spec": {"taints": [TAINT]}})
    events = api.until(core(ns, "events"), lambda all: any(e["reason"] == "TaintManagerEviction" for e in all.values()))
    assert any(e["message"] == f"Marking for deletion Pod {ns}/p" for e in events.values())
    api.until(core(ns, "pods"), lambda all: not all)
    api.delete(f"/api/v1/nodes/{ns}-n")


def test_removing_taint_cancels_eviction(api, ns):
    make_node(api, f"{ns}-n")
    api.until(core(ns, "serviceaccounts"), lambda all: "default" in all)
    api.create(core(ns, "pods"), pod_on(f"{ns}-n", 3600))
    api.patch(f"/api/v1/nodes/{ns}-n", {"spec": {"taints": [TAINT]}})
    api.create(core(ns, "pods"), {**pod_on(f"{ns}-n", 0), "metadata": {"name": "canary"}})
    api.until(core(ns, "pods"), lambda all: "canary" not in all)
    api.patch(f"/api/v1/nodes/{ns}-n", {"spec": {"taints": None}})
    events = api.until(core(ns, "events"),
                       lambda all: any(e["message"] == f"Cancelling deletion of Pod {ns}/p" for e in all.values()))
    assert events and [pod["metadata"]["name"] for pod in api.get(core(ns, "pods"))["items"]] == ["p"]
    api.delete(f"/api/v1/nodes/{ns}-n")


def test_conditions_of_a_node_become_taints(api, ns):
    make_node(api, f"{ns}-n")
    api.until("/api/v1/nodes", lambda all: not taints(all[f"{ns}-n"]))
    for kind, status, key in (("MemoryPressure", "True", "memory-pressure"), ("Ready", "False", "not-ready")):
        api.patch(f"/api/v1/nodes/{ns}-n/status", {"status": {"conditions": [{"type": kind, "status": status}]}},
                  "strategic-merge")
        api.until("/api/v1/nodes", lambda all: (f"node.kubernetes.io/{key}", "NoSchedule") in taints(all[f"{ns}-n"]))
    api.patch(f"/api/v1/nodes/{ns}-n", {"spec": {"unschedulable": True}})
    api.until("/api/v1/nodes", lambda all: ("node.kubernetes.io/unschedulable", "NoSchedule") in taints(all[f"{ns}-n"]))
    api.delete(f"/api/v1/nodes/{ns}-n")


def taints(node):
    return {(taint["key"], taint["effect"]) for taint in node["spec"].get("taints", [])}


def test_pods_of_a_node_that_is_not_ready_are_not_ready(api, ns):
    make_node(api, f"{ns}-n")
    api.until(core(ns, "serviceaccounts"), lambda all: "default" in all)
    api.create(core(ns, "pods"), pod_on(f"{ns}-n"))
    api.until(core(ns, "pods"), lambda all: is_ready(all["p"]))
    api.patch(f"/api/v1/nodes/{ns}-n/status", {"status": {"conditions": [{"type": "Ready", "status": "False"}]}},
              "strategic-merge")
    api.until(core(ns, "pods"), lambda all: not is_ready(all["p"]))
    api.until("/api/v1/nodes", lambda all: ("node.kubernetes.io/not-ready", "NoExecute") in taints(all[f"{ns}-n"]))
    api.delete(f"/api/v1/nodes/{ns}-n")


def test_aggregated_cluster_role_has_the_rules_of_those_it_selects(api, ns):
    roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
    rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
    api.create(roles, {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "rules": [],
                       "metadata": {"name": f"{ns}-sum"},
                       "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"part-of": ns}}]}})
    api.create(roles, {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "rules": [rule],
                       "metadata": {"name": f"{ns}-part", "labels": {"part-of": ns}}})
    api.until(roles, lambda all: all[f"{ns}-sum"].get("rules") == [rule])
    api.delete(f"{roles}/{ns}-part")
    api.until(roles, lambda all: not all[f"{ns}-sum"].get("rules"))
    api.delete(f"{roles}/{ns}-sum")
