"""C12: endpoints, endpoint slices and their mirrors, after network/endpointslice*.go and endpoints.go."""
from controllers_api import apps, core, is_ready, workload


def slices(ns):
    return f"/apis/discovery.k8s.io/v1/namespaces/{ns}/endpointslices"


def service(name, selector, **spec):
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
            "spec": {"ports": [{"name": "http", "port": 80, "targetPort": 8080}], **({"selector": selector} if selector else {}),
                     **spec}}


def of(all, name):
    return [found for found in all.values() if found["metadata"]["labels"].get("kubernetes.io/service-name") == name]


def addresses(found):
    return sorted(address for one in found for endpoint in one.get("endpoints") or [] for address in endpoint["addresses"])


def test_should_create_and_delete_slices_and_endpoints_for_a_service_with_a_selector_that_matches_no_pods(api, ns):
    api.create(core(ns, "services"), service("empty", {"does": "not-match"}))
    found = of(api.until(slices(ns), lambda all: of(all, "empty")), "empty")
    assert len(found) == 1 and not found[0].get("endpoints")
    assert found[0]["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"] == "endpointslice-controller.k8s.io"
    api.until(core(ns, "endpoints"), lambda all: "empty" in all)
    api.delete(core(ns, "services", "empty"))
    api.until(slices(ns), lambda all: not of(all, "empty"))
    api.until(core(ns, "endpoints"), lambda all: "empty" not in all)


def test_should_create_endpoints_and_endpoint_slices_for_pods_matching_a_service(api, ns):
    api.create(core(ns, "services"), service("web", {"app": "web"}))
    api.create(apps(ns, "replicasets"), workload("ReplicaSet", "web", 3))
    pods = api.until(core(ns, "pods"), lambda all: len(all) == 3 and all_ready(all))
    ips = sorted(pod["status"]["podIP"] for pod in pods.values())
    found = of(api.until(slices(ns), lambda all: addresses(of(all, "web")) == ips), "web")
    assert len(found) == 1
    assert found[0]["ports"] == [{"name": "http", "port": 8080, "protocol": "TCP"}]
    for endpoint in found[0]["endpoints"]:
        assert endpoint["conditions"] == {"ready": True, "serving": True, "terminating": False}
        assert endpoint["nodeName"] and pods[endpoint["targetRef"]["name"]]["status"]["podIP"] in endpoint["addresses"]

    def named(all):
        subsets = all["web"].get("subsets") or []
        return len(subsets) == 1 and sorted(a["ip"] for a in subsets[0].get("addresses", [])) == ips

    subset = api.until(core(ns, "endpoints"), named)["web"]["subsets"][0]
    assert subset["ports"] == [{"name": "http", "port": 8080, "protocol": "TCP"}]


def all_ready(pods):
    return all(is_ready(pod) for pod in pods.values())


def test_pod_that_is_not_ready_is_told_as_such(api, ns):
    api.create(core(ns, "services"), service("web", {"app": "web"}))
    api.create(apps(ns, "replicasets"), workload("ReplicaSet", "web", 1))
    name, pod = next(iter(api.until(core(ns, "pods"), lambda all: all and all_ready(all)).items()))
    api.until(slices(ns), lambda all: addresses(of(all, "web")) == [pod["status"]["podIP"]])
    api.patch(core(ns, "pods", f"{name}/status"), {"status": {"conditions": [{"type": "Ready", "status": "False"}]}},
              "strategic-merge")
    api.until(slices(ns), lambda all: [endpoint["conditions"] for one in of(all, "web") for endpoint in one["endpoints"]]
              == [{"ready": False, "serving": False, "terminating": False}])
    api.until(core(ns, "endpoints"), lambda all: [a["ip"] for s in all["web"]["subsets"] or []
                                                  for a in s.get("notReadyAddresses", [])] == [pod["status"]["podIP"]])


def test_headless_service_gives_hostnames(api, ns):
    api.create(core(ns, "services"), service("ss", {"app": "ss"}, clusterIP="None"))
    api.create(apps(ns, "statefulsets"), workload("StatefulSet", "ss", 1, serviceName="ss"))
    found = api.until(slices(ns), lambda all: addresses(of(all, "ss")))
    one = of(found, "ss")[0]
    assert one["endpoints"][0]["hostname"] == "ss-0"
    assert one["metadata"]["labels"]["service.kubernetes.io/headless"] == ""


def test_more_endpoints_than_a_slice_holds_make_more_slices(api, ns):
    api.create(core(ns, "services"), service("many", {"app": "many"}))
    api.create(apps(ns, "replicasets"), workload("ReplicaSet", "many", 105))
    found = of(api.until(slices(ns), lambda all: len(addresses(of(all, "many"))) == 105), "many")
    assert sorted(len(one["endpoints"]) for one in found)[-1] <= 100 and len(found) >= 2
    assert len(set(addresses(found))) == 105


def test_should_mirror_a_custom_endpoints_resource_through_create_update_and_delete(api, ns):
    api.create(core(ns, "services"), service("custom", None))
    api.create(core(ns, "endpoints"), {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "custom"},
                                       "subsets": [{"ports": [{"port": 80}], "addresses": [{"ip": "10.1.2.3"}]}]})
    found = of(api.until(slices(ns), lambda all: addresses(of(all, "custom")) == ["10.1.2.3"]), "custom")
    assert len(found) == 1
    assert found[0]["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"] == (
        "endpointslicemirroring-controller.k8s.io")
    assert found[0]["ports"][0]["port"] == 80
    api.patch(core(ns, "endpoints", "custom"), {"subsets": [{"ports": [{"port": 80}], "addresses": [{"ip": "10.2.3.4"}]}]})
    api.until(slices(ns), lambda all: addresses(of(all, "custom")) == ["10.2.3.4"])
    api.delete(core(ns, "endpoints", "custom"))
    api.until(slices(ns), lambda all: not of(all, "custom"))
