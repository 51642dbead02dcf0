"""Kinds that the server keeps for components which act on them: CSI drivers, attachers, drivers of devices."""
import pytest
from client import Refused

STORAGE = "/apis/storage.k8s.io/v1"
DEVICES = "/apis/resource.k8s.io/v1"


def refused(call, *args):
    with pytest.raises(Refused) as caught:
        call(*args)
    return caught.value


def named(ns, **more):
    return {"metadata": {"name": ns.rsplit("/", 1)[1]}, **more}


def claim_of(ns, **request):
    return named(ns, spec={"devices": {"requests": [{"name": "gpu", **request}]}})


@pytest.fixture
def made(api, ns):
    """Creates what is not in the namespace, and deletes it behind the test."""
    paths = []

    def make(path, body):
        answer = api.post(path, body)
        paths.append(f"{path}/{body['metadata']['name']}")
        return answer

    yield make
    for path in reversed(paths):
        api.delete(path)


def test_csi_driver(api, ns, made):
    driver = made(f"{STORAGE}/csidrivers", named(ns, spec={"podInfoOnMount": True}))
    assert driver["spec"] == {"attachRequired": True, "podInfoOnMount": True, "storageCapacity": False,
                              "volumeLifecycleModes": ["Persistent"], "fsGroupPolicy": "ReadWriteOnceWithFSType",
                              "requiresRepublish": False, "seLinuxMount": False}
    assert "generation" not in driver["metadata"]
    path = f"{STORAGE}/csidrivers/{driver['metadata']['name']}"
    assert api.patch(path, {"spec": {"storageCapacity": True}})["metadata"]["generation"] == 1
    wrong = refused(api.patch, path, {"spec": {"attachRequired": False}})
    assert wrong.status == 422 and wrong.body["details"]["causes"] == [
        {"reason": "FieldValueInvalid", "field": "spec.attachedRequired",
         "message": "Invalid value: false: field is immutable"}]


def test_csi_node(api, ns, made):
    driver = {"name": "Csi.example.com", "nodeID": "n1", "topologyKeys": ["example.com/zone"]}
    node = made(f"{STORAGE}/csinodes", named(ns, spec={"drivers": [driver]}))
    assert node["spec"]["drivers"] == [driver]
    path = f"{STORAGE}/csinodes/{node['metadata']['name']}"
    node["spec"]["drivers"][0]["allocatable"] = {"count": 3}
    node = api.put(path, node)
    node["spec"]["drivers"][0]["nodeID"] = "n2"
    assert "field is immutable" in refused(api.put, path, node).body["message"]
    del node["metadata"]["resourceVersion"]
    assert "must be specified for an update" in refused(api.put, path, node).body["message"]


def test_csi_storage_capacity(api, ns):
    path = f"{STORAGE}/{ns.split('/v1/')[1]}/csistoragecapacities"
    made = api.post(path, {"metadata": {"name": "c"}, "storageClassName": "fast", "capacity": "1Gi"})
    assert made["capacity"] == "1Gi"
    wrong = refused(api.patch, f"{path}/c", {"storageClassName": "slow"})
    assert 'storageClassName: Invalid value: "slow": field is immutable' in wrong.body["message"]
    assert [one["metadata"]["name"] for one in api.get(path)["items"]] == ["c"]


def test_volume_attachment(api, ns, made):
    spec = {"attacher": "csi.example.com", "nodeName": "n1", "source": {"persistentVolumeName": "pv"}}
    attachment = made(f"{STORAGE}/volumeattachments", named(ns, spec=spec, status={"attached": True}))
    assert attachment["status"] == {"attached": False}
    path = f"{STORAGE}/volumeattachments/{attachment['metadata']['name']}"
    attachment["status"]["attached"] = True
    attachment["metadata"]["labels"] = {"a": "b"}
    after = api.put(f"{path}/status", attachment)
    assert after["status"] == {"attached": True} and "labels" not in after["metadata"]
    assert "field is immutable" in refused(api.patch, path, {"spec": {"nodeName": "n2"}}).body["message"]


def test_volume_attributes_class(api, ns, made):
    path = f"{STORAGE}/volumeattributesclasses"
    empty = refused(api.post, path, named(ns, driverName="csi.example.com"))
    assert "parameters: Required value: must contain at least one key/value pair" in empty.body["message"]
    one = made(path, named(ns, driverName="csi.example.com", parameters={"iops": "1"}))
    wrong = refused(api.patch, f"{path}/{one['metadata']['name']}", {"parameters": {"iops": "2"}})
    assert "parameters: Forbidden: updates to parameters are forbidden." in wrong.body["message"]


def test_device_class_and_slice(api, ns, made):
    selectors = [{"cel": {"expression": 'device.driver == "gpu.example.com"'}}]
    one = made(f"{DEVICES}/deviceclasses", named(ns, spec={"selectors": selectors}))
    assert one["metadata"]["generation"] == 1 and one["spec"]["selectors"] == selectors
    spec = {"driver": "gpu.example.com", "pool": {"name": "n1", "generation": 1, "resourceSliceCount": 1}}
    nowhere = refused(api.post, f"{DEVICES}/resourceslices", named(ns, spec=spec))
    assert "spec: Required value: exactly one of `nodeName`" in nowhere.body["message"]
    devices = [{"name": "gpu-0", "attributes": {"model": {"string": "x"}}, "capacity": {"memory": {"value": "1Gi"}}}]
    piece = made(f"{DEVICES}/resourceslices", named(ns, spec={**spec, "nodeName": "n1", "devices": devices}))
    assert piece["spec"]["devices"] == devices
    found = api.get(f"{DEVICES}/resourceslices?fieldSelector=spec.driver%3Dgpu.example.com,spec.nodeName%3Dn1")
    assert ns.rsplit("/", 1)[1] in [item["metadata"]["name"] for item in found["items"]]


def test_resource_claim(api, ns):
    path = f"{DEVICES}/{ns.split('/v1/')[1]}/resourceclaims"
    none = refused(api.post, path, claim_of(ns))
    assert "exactly one of `exactly` or `firstAvailable` is required" in none.body["message"]
    claim = api.post(path, claim_of(ns, exactly={"deviceClassName": "gpu"}))
    exactly = claim["spec"]["devices"]["requests"][0]["exactly"]
    assert exactly == {"deviceClassName": "gpu", "allocationMode": "ExactCount", "count": 1}
    one = f"{path}/{claim['metadata']['name']}"
    result = {"request": "gpu", "driver": "gpu.example.com", "pool": "n1", "device": "gpu-0"}
    claim["status"] = {"allocation": {"devices": {"results": [result]}},
                       "reservedFor": [{"resource": "pods", "name": "p", "uid": "1"}]}
    claim = api.put(f"{one}/status", claim)
    assert claim["status"]["allocation"]["devices"]["results"] == [result]
    claim["status"]["allocation"]["devices"]["results"][0]["device"] = "gpu-1"
    assert "status.allocation" in refused(api.put, f"{one}/status", claim).body["message"]
    assert refused(api.patch, one, {"spec": {"devices": {"requests": None}}}).status == 422


def test_resource_claim_template(api, ns):
    path = f"{DEVICES}/{ns.split('/v1/')[1]}/resourceclaimtemplates"
    spec = claim_of(ns, exactly={"deviceClassName": "gpu", "allocationMode": "All"})["spec"]
    made = api.post(path, named(ns, spec={"metadata": {"labels": {"a": "b"}}, "spec": spec}))
    assert made["spec"]["spec"]["devices"]["requests"][0]["exactly"]["allocationMode"] == "All"
    change = {"spec": {"metadata": {"labels": {"a": "c"}}}}
    assert refused(api.patch, f"{path}/{made['metadata']['name']}", change).status == 422


def test_whom_the_server_believes(plane, api):
    """Servers behind this one read here whom they may believe; a start adds to what others have told."""
    path = "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication"
    data = api.get(path)["data"]
    assert data["client-ca-file"] == (plane.pki / "ca.crt").read_text()
    assert data["requestheader-client-ca-file"] == (plane.pki / "front-proxy-ca.crt").read_text()
    assert data["requestheader-username-headers"] == '["X-Remote-User"]'
    assert data["requestheader-allowed-names"] == '["front-proxy-client"]'
    api.patch(path, {"data": {"requestheader-allowed-names": '["other"]', "client-ca-file": None}})
    plane.processes["kube-apiserver"].stop()
    plane.start_one("kube-apiserver")
    assert api.get(path)["data"] == {**data, "requestheader-allowed-names": '["other","front-proxy-client"]'}


@pytest.mark.parametrize("path,body,columns,cells", [
    (f"{STORAGE}/csidrivers", {"spec": {"tokenRequests": [{"audience": "a"}, {"audience": "b"}]}},
     ["Name", "AttachRequired", "PodInfoOnMount", "StorageCapacity", "TokenRequests", "RequiresRepublish", "Modes",
      "Age"], [True, False, False, "a,b", False, "Persistent"]),
    (f"{STORAGE}/csinodes", {"spec": {"drivers": []}}, ["Name", "Drivers", "Age"], [0]),
    (f"{STORAGE}/volumeattributesclasses", {"driverName": "example.com", "parameters": {"a": "1"}},
     ["Name", "DriverName", "Age"], ["example.com"]),
    (f"{DEVICES}/deviceclasses", {"spec": {}}, ["Name", "Age"], []),
    (f"{DEVICES}/namespaces/NAME/resourceclaims", claim_of("/", exactly={"deviceClassName": "gpu"}),
     ["Name", "State", "Age"], ["pending"]),
])
def test_tables(api, ns, made, path, body, columns, cells):
    path = path.replace("NAME", ns.rsplit("/", 1)[1])
    one = made(path, {**body, **named(ns)})
    table = api.get(f"{path}/{one['metadata']['name']}", Accept="application/json;as=Table;g=meta.k8s.io;v=v1")
    assert [column["name"] for column in table["columnDefinitions"]] == columns
    assert table["rows"][0]["cells"][1:-1] == cells
