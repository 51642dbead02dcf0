"""ConfigMaps, Secrets, LimitRanges, RuntimeClasses, nodes, after upstream's conformance tests of the same names."""
import pytest
from client import Refused


def refusal(call, *args):
    with pytest.raises(Refused) as caught:
        call(*args)
    return caught.value


def pod(**spec):
    return {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "registry.test/c:1"}], **spec}}


@pytest.mark.parametrize("plural, value", [("configmaps", "v"), ("secrets", "dg==")])
def test_should_fail_to_create_with_an_empty_key(whole, namespace, plural, value):
    """ConfigMap should fail to create ConfigMap with empty key; Secrets should fail to create secret due to empty
    secret key."""
    body = {"metadata": {"name": "x"}, "data": {"": value}}
    refused = refusal(whole.post, f"/api/v1/namespaces/{namespace}/{plural}", body)
    assert refused.status == 422 and refused.body["reason"] == "Invalid" and 'data[]' in refused.body["message"]


@pytest.mark.parametrize("plural, before, after", [("configmaps", "v", "w"), ("secrets", "dg==", "dw==")])
def test_should_be_immutable_if_immutable_field_is_set(whole, namespace, plural, before, after):
    path = f"/api/v1/namespaces/{namespace}/{plural}"
    made = whole.post(path, {"metadata": {"name": "x"}, "data": {"k": before}})
    made["data"]["k"] = after
    made = whole.put(f"{path}/x", made)
    made["immutable"] = True
    made = whole.put(f"{path}/x", made)
    for change in ({"data": {"k": before}}, {"immutable": False}, {"data": {"n": before}}, {"immutable": None}):
        refused = refusal(whole.patch, f"{path}/x", change)
        assert refused.status == 422 and "immutable" in refused.body["message"]
    labelled = whole.patch(f"{path}/x", {"metadata": {"labels": {"a": "b"}}})
    assert labelled["data"] == {"k": after}
    whole.delete(f"{path}/x")


def test_limit_range_should_create_a_limit_range_with_defaults_and_ensure_pod_has_those_defaults_applied(whole, namespace):
    limits = {"type": "Container", "min": {"cpu": "50m", "memory": "100Mi"}, "max": {"cpu": "500m", "memory": "500Mi"},
              "default": {"cpu": "500m", "memory": "500Mi"}, "defaultRequest": {"cpu": "100m", "memory": "200Mi"}}
    path = f"/api/v1/namespaces/{namespace}"
    whole.post(f"{path}/limitranges", {"metadata": {"name": "l"}, "spec": {"limits": [limits]}})
    whole.wait(f"{path}/limitranges", lambda found: "l" in found)
    made = whole.post(f"{path}/pods", pod())
    assert made["spec"]["containers"][0]["resources"] == {
        "limits": limits["default"], "requests": limits["defaultRequest"]}
    part = pod()
    part["metadata"]["name"] = "part"
    part["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "300m"}}
    made = whole.post(f"{path}/pods", part)
    assert made["spec"]["containers"][0]["resources"] == {
        "limits": limits["default"], "requests": {"cpu": "300m", "memory": "200Mi"}}
    for bad in ({"requests": {"cpu": "10m"}}, {"limits": {"cpu": "600m"}}):
        wrong = pod()
        wrong["spec"]["containers"][0]["resources"] = bad
        wrong["metadata"]["name"] = "wrong"
        assert refusal(whole.post, f"{path}/pods", wrong).status == 403


def test_runtime_class_should_reject_a_pod_requesting_a_non_existent_or_a_deleted_runtime_class(whole, namespace):
    classes, name = "/apis/node.k8s.io/v1/runtimeclasses", f"class-{namespace}"
    pods = f"/api/v1/namespaces/{namespace}/pods"
    refused = refusal(whole.post, pods, pod(runtimeClassName=name))
    assert refused.status == 403 and f'RuntimeClass "{name}" not found' in refused.body["message"]
    whole.post(classes, {"metadata": {"name": name}, "handler": "h"})
    whole.wait(classes, lambda found: name in found)
    whole.post(f"{pods}?dryRun=All", pod(runtimeClassName=name))
    whole.delete(f"{classes}/{name}")
    assert refusal(whole.post, pods, pod(runtimeClassName=name)).status == 403


def test_node_lifecycle_should_run_through_the_lifecycle_of_a_node(whole, namespace):
    nodes, name = "/api/v1/nodes", f"node-{namespace}"
    whole.post(nodes, {"metadata": {"name": name}, "spec": {"unschedulable": True}})
    whole.patch(f"{nodes}/{name}", {"metadata": {"labels": {"life": name}}})
    found = whole.get(f"{nodes}?labelSelector=life%3D{name}")["items"]
    assert [one["metadata"]["name"] for one in found] == [name]
    condition = {"type": "Testing", "status": "True", "reason": "Test", "message": "here"}
    whole.patch(f"{nodes}/{name}/status", {"status": {"conditions": [condition]}}, "strategic-merge")
    assert condition["message"] in [one.get("message") for one in whole.get(f"{nodes}/{name}")["status"]["conditions"]]
    whole.delete(f"{nodes}?labelSelector=life%3D{name}")
    assert refusal(whole.get, f"{nodes}/{name}").status == 404


def test_csi_inline_volumes_should_support_csi_volume_source_in_pod_api(whole, namespace):
    path = f"/api/v1/namespaces/{namespace}/pods"
    volume = {"name": "v", "csi": {"driver": "test.example", "readOnly": True, "volumeAttributes": {"a": "b"}}}
    whole.post(path, pod(volumes=[volume]))
    assert volume in whole.get(f"{path}/p")["spec"]["volumes"]
    whole.delete(f"{path}/p", {"gracePeriodSeconds": 0})
