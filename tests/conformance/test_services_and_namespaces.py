"""Services, namespaces, budgets, after upstream's conformance tests of the same names."""
import pytest
from client import Refused


def service(name, **labels):
    return {"metadata": {"name": name, "labels": labels}, "spec": {"ports": [{"name": "http", "port": 80}]}}


def test_api_server_should_provide_secure_master_service(whole):
    master = whole.get("/api/v1/namespaces/default/services/kubernetes")
    ports = {port["name"]: (port["port"], port["protocol"]) for port in master["spec"]["ports"]}
    assert ports == {"https": (443, "TCP")} and master["spec"]["clusterIP"] == "10.96.0.1"


def test_api_server_should_have_endpoints_and_endpoint_slices_pointing_to_api_server(whole, cluster):
    subset, = whole.get("/api/v1/namespaces/default/endpoints/kubernetes")["subsets"]
    piece = whole.get("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes")
    assert [one["ip"] for one in subset["addresses"]] == piece["endpoints"][0]["addresses"]
    assert {port["port"] for port in subset["ports"]} == {port["port"] for port in piece["ports"]} == {cluster.port}
    assert piece["metadata"]["labels"]["kubernetes.io/service-name"] == "kubernetes"


def test_services_should_find_a_service_from_listing_all_namespaces(whole, namespace):
    whole.post(f"/api/v1/namespaces/{namespace}/services", service("s"))
    found = whole.get("/api/v1/services")["items"]
    places = {(one["metadata"]["namespace"], one["metadata"]["name"]) for one in found}
    assert {(namespace, "s"), ("default", "kubernetes")} <= places


def test_services_should_complete_a_service_status_lifecycle(whole, namespace):
    path = f"/api/v1/namespaces/{namespace}/services"
    version = whole.get(path)["metadata"]["resourceVersion"]
    watch = whole.watch(path, f"resourceVersion={version}")
    body = service("s")
    body["spec"]["type"] = "LoadBalancer"
    whole.post(path, body)
    assert whole.get(f"{path}/s/status")["status"] == {"loadBalancer": {}}
    whole.patch(f"{path}/s/status", {"metadata": {"annotations": {"patched": "yes"}}, "status": {
        "loadBalancer": {"ingress": [{"ip": "203.0.113.1"}]}}})
    latest = whole.get(f"{path}/s")
    assert latest["metadata"]["annotations"] == {"patched": "yes"}
    assert latest["status"]["loadBalancer"]["ingress"] == [{"ip": "203.0.113.1", "ipMode": "VIP"}]
    latest["status"]["conditions"] = [{"type": "StatusUpdate", "status": "True", "reason": "E2E", "message": "set",
                                       "lastTransitionTime": "2026-01-01T00:00:00Z"}]
    assert whole.put(f"{path}/s/status", latest)["status"]["conditions"][0]["reason"] == "E2E"
    whole.patch(f"{path}/s", {"metadata": {"labels": {"patched": "yes"}}}, "strategic-merge")
    whole.delete(f"{path}/s")
    events = watch.until("DELETED")
    assert [event["type"] for event in events] == ["ADDED", "MODIFIED", "MODIFIED", "MODIFIED", "DELETED"]
    watch.close()


def test_only_a_load_balancer_has_addresses_of_one(whole, namespace):
    path = f"/api/v1/namespaces/{namespace}/services"
    whole.post(path, service("inner"))
    with pytest.raises(Refused, match="may only be used when `spec.type` is 'LoadBalancer'"):
        whole.patch(f"{path}/inner/status", {"status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.1"}]}}})


def test_services_should_delete_a_collection_of_services(whole, namespace):
    path = f"/api/v1/namespaces/{namespace}/services"
    for name in ("one", "two", "three"):
        whole.post(path, service(name, group="kept" if name == "three" else "gone"))
    whole.delete(f"{path}?labelSelector=group%3Dgone")
    assert [one["metadata"]["name"] for one in whole.get(path)["items"]] == ["three"]


def test_namespaces_should_patch_a_namespace_and_apply_an_update_to_it(whole, namespace):
    path = f"/api/v1/namespaces/{namespace}"
    assert whole.patch(path, {"metadata": {"labels": {"testLabel": "v"}}})["metadata"]["labels"]["testLabel"] == "v"
    latest = whole.get(path)
    latest["metadata"]["labels"]["updated"] = "yes"
    assert whole.put(path, latest)["metadata"]["labels"] == {
        "kubernetes.io/metadata.name": namespace, "testLabel": "v", "updated": "yes"}


def test_namespaces_should_apply_changes_to_a_namespace_status(whole, namespace):
    path = f"/api/v1/namespaces/{namespace}/status"
    assert whole.get(path)["status"]["phase"] == "Active"
    condition = {"type": "StatusPatch", "status": "True", "reason": "E2E", "message": "patched",
                 "lastTransitionTime": "2026-01-01T00:00:00Z"}
    patched = whole.patch(path, {"metadata": {"annotations": {"a": "b"}}, "status": {"conditions": [condition]}})
    assert patched["status"] == {"phase": "Active", "conditions": [condition]}
    condition["message"] = "updated"
    patched["status"]["conditions"] = [condition]
    assert whole.put(path, patched)["status"]["conditions"] == [condition]


def budget(name, label):
    return {"metadata": {"name": name, "labels": {"set": label}},
            "spec": {"minAvailable": 1, "selector": {"matchLabels": {"none": "such"}}}}


def test_disruption_controller_should_list_and_delete_a_collection_of_pod_disruption_budgets(whole, namespace):
    path = "/apis/policy/v1/namespaces/{}/poddisruptionbudgets"
    other = whole.post("/api/v1/namespaces", {"metadata": {"name": f"{namespace}-b"}})["metadata"]["name"]
    for place, name in ((namespace, "one"), (namespace, "two"), (other, "three")):
        whole.post(path.format(place), budget(name, namespace))
    selector = f"labelSelector=set%3D{namespace}"
    everywhere = whole.get(f"/apis/policy/v1/poddisruptionbudgets?{selector}")["items"]
    assert sorted(one["metadata"]["name"] for one in everywhere) == ["one", "three", "two"]
    whole.delete(f"{path.format(namespace)}?{selector}")
    left = whole.get(f"/apis/policy/v1/poddisruptionbudgets?{selector}")["items"]
    assert [one["metadata"]["name"] for one in left] == ["three"]


def test_disruption_controller_should_create_a_pod_disruption_budget(whole, namespace):
    path = f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets"
    whole.post(path, budget("b", "x"))
    first = whole.wait_one(path, "b", lambda one: one["status"].get("observedGeneration") == 1)
    first["spec"]["minAvailable"] = "50%"
    whole.put(f"{path}/b", first)
    whole.wait_one(path, "b", lambda one: one["status"]["observedGeneration"] == 2)
    whole.patch(f"{path}/b", {"spec": {"minAvailable": 3}})
    whole.wait_one(path, "b", lambda one: one["status"]["observedGeneration"] == 3)


def test_service_cidr_should_support_service_cidr_api_operations(whole):
    path = "/apis/networking.k8s.io/v1/servicecidrs"
    assert whole.get(f"{path}/kubernetes")["spec"]["cidrs"] == ["10.96.0.0/16"]
    with pytest.raises(Refused) as caught:
        whole.patch(f"{path}/kubernetes", {"spec": {"cidrs": ["10.97.0.0/16"]}})
    assert caught.value.status == 422
    assert "ServiceCIDR" in [one["kind"] for one in whole.get("/apis/networking.k8s.io/v1")["resources"]]
