"""CustomResourceDefinitions and what they define, after upstream's conformance tests of the same names."""
import json
import uuid

import pytest
from client import Client, Refused
from cluster import running
from custom import CRDS, Custom, is_established, KEEPS

STRICT = "?fieldValidation=Strict"


def schema(**spec):
    return {"type": "object", "properties": {"spec": {"type": "object", "properties": spec}, "status": KEEPS}}


def test_creating_deleting_custom_resource_definition_objects_works(api, define):
    custom = define(KEEPS)
    custom.make("one", anything={"b": [1, {}], "a": None})
    assert api.get(f"{custom.objects()}/one")["anything"] == {"a": None, "b": [1, {}]}
    deleted = api.delete(custom.path)
    assert deleted["metadata"]["deletionTimestamp"]
    api.wait_gone(CRDS, custom.name)
    assert api.ask("GET", custom.objects()).status == 404


def test_listing_custom_resource_definition_objects_works(api, define):
    customs = [define(KEEPS) for _ in range(3)]
    label = uuid.uuid4().hex[:8]
    for custom in customs:
        api.patch(custom.path, {"metadata": {"labels": {"test": label}}})
    found = api.get(f"{CRDS}?labelSelector=test%3D{label}")["items"]
    assert {one["metadata"]["name"] for one in found} == {custom.name for custom in customs}
    api.delete(f"{CRDS}?labelSelector=test%3D{label}")
    for custom in customs:
        api.wait_gone(CRDS, custom.name)


def test_getting_updating_patching_custom_resource_definition_status_sub_resource_works(api, define):
    custom = define(KEEPS)
    crd = api.get(f"{custom.path}/status")
    crd["status"]["conditions"].append({"type": "StatusUpdate", "status": "True", "reason": "E2E", "message": "set"})
    updated = api.put(f"{custom.path}/status", crd)
    assert updated["status"]["conditions"][-1]["message"] == "set"
    patched = api.patch(f"{custom.path}/status", {"metadata": {"annotations": {"a": "b"}}})
    assert patched["spec"] == crd["spec"]


def test_including_custom_resource_definition_resources_in_discovery_documents(api, define):
    custom = define(KEEPS, "v1", "v1beta1", subresources={"status": {}})
    group = next(g for g in api.get("/apis")["groups"] if g["name"] == custom.group)
    assert [v["version"] for v in group["versions"]] == ["v1", "v1beta1"]
    names = [r["name"] for r in api.get(f"/apis/{custom.group}/v1")["resources"]]
    assert names == ["boats", "boats/status"]
    assert any(r["name"] == "customresourcedefinitions" for r in api.get("/apis/apiextensions.k8s.io/v1")["resources"])


def test_custom_resource_defaulting_for_requests_and_from_storage_works(api, define):
    custom = define(schema(a={"type": "string"}, b={"type": "string"}))
    custom.make("before", spec={})
    crd = api.get(custom.path)
    spec = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    spec["properties"]["a"]["default"] = "A"
    watch = api.watch(custom.objects())
    api.put(custom.path, crd)
    while watch.next():
        pass
    assert custom.make("after", spec={"b": "B"})["spec"] == {"a": "A", "b": "B"}
    assert api.get(f"{custom.objects()}/before")["spec"] == {"a": "A"}


def test_watch_on_custom_resource_definition_objects(api, define):
    custom = define(KEEPS)
    all_of, one = api.watch(custom.objects()), api.watch(custom.objects(), "fieldSelector=metadata.name%3Da")
    for name in "ab":
        custom.make(name)
    api.patch(f"{custom.objects()}/a", {"dummy": "test"})
    api.delete(f"{custom.objects()}/a")
    assert [all_of.next()["type"] for _ in range(4)] == ["ADDED", "ADDED", "MODIFIED", "DELETED"]
    assert [one.next()["type"] for _ in range(3)] == ["ADDED", "MODIFIED", "DELETED"]
    api.delete(custom.path)
    assert all_of.next()["object"]["metadata"]["name"] == "b"
    assert all_of.next() is None


def test_values_are_held_against_the_schema(api, define):
    custom = define(schema(size={"type": "integer", "minimum": 1}, name={"type": "string", "pattern": "^[a-z]+$"}))
    with pytest.raises(Refused) as refused:
        custom.make("bad", spec={"size": 0, "name": "A"})
    assert refused.value.status == 422
    assert {cause["field"]: cause["message"] for cause in refused.value.body["details"]["causes"]} == {
        "spec.size": "Invalid value: 0: spec.size in body should be greater than or equal to 1",
        "spec.name": "Invalid value: \"A\": spec.name in body should match '^[a-z]+$'"}
    with pytest.raises(Refused, match="must be Boat"):
        api.post(custom.objects(), {**custom.boat("x"), "kind": "Ship"})


def test_field_validation_of_custom_resources(api, define):
    custom = define(schema(size={"type": "integer"}, template={**KEEPS, "x-kubernetes-embedded-resource": True}))
    body = json.dumps(custom.boat("x", spec={"size": 1}))
    for bad, said in [(body.replace('"size"', '"sice"'), 'unknown field "spec.sice"'),
                      (body.replace('"size": 1', '"size": 1, "size": 2'), 'duplicate field "spec.size"'),
                      (body.replace('"name"', '"unknownMeta": "x", "name"'), 'unknown field "metadata.unknownMeta"')]:
        strict = api.ask("POST", custom.objects() + STRICT + "&dryRun=All", bad)
        assert strict.status == 400 and said in strict.json["message"]
        warned = api.ask("POST", custom.objects() + "?fieldValidation=Warn&dryRun=All", bad)
        assert warned.status == 201 and warned.headers["Warning"] == f'299 - "{said}"'.replace(
            f'"{said}"', '"' + said.replace('"', '\\"') + '"')
        assert not api.ask("POST", custom.objects() + "?fieldValidation=Ignore&dryRun=All", bad).headers["Warning"]


def test_apply_of_custom_resources(api, define):
    custom = define(schema(items={"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"],
                                  "items": {"type": "object", "required": ["k"], "properties": {
                                      "k": {"type": "string"}, "v": {"type": "string"}}}}))

    def apply(manager, items):
        body = custom.boat("a", spec={"items": items})
        return api.call("PATCH", f"{custom.objects()}/a?fieldManager={manager}", body,
                        Content_Type="application/apply-patch+yaml")
    apply("one", [{"k": "x", "v": "1"}])
    assert apply("two", [{"k": "y", "v": "2"}])["spec"]["items"] == [{"k": "x", "v": "1"}, {"k": "y", "v": "2"}]
    with pytest.raises(Refused, match="conflict"):
        apply("two", [{"k": "x", "v": "3"}])
    assert apply("one", [])["spec"]["items"] == [{"k": "y", "v": "2"}]


def test_subresources_and_generation(api, define):
    custom = define({"type": "object", "properties": {
        "spec": {"type": "object", "properties": {"replicas": {"type": "integer"}}},
        "status": {"type": "object", "properties": {"replicas": {"type": "integer"}, "selector": {"type": "string"}}}}},
        subresources={"status": {}, "scale": {"specReplicasPath": ".spec.replicas",
                                              "statusReplicasPath": ".status.replicas",
                                              "labelSelectorPath": ".status.selector"}})
    path = f"{custom.objects()}/a"
    made = custom.make("a", spec={"replicas": 1}, status={"replicas": 9})
    assert "status" not in made and made["metadata"]["generation"] == 1
    status = api.patch(f"{path}/status", {"spec": {"replicas": 5}, "status": {"replicas": 1, "selector": "a=b"}})
    assert status["spec"] == {"replicas": 1} and status["metadata"]["generation"] == 1
    scale = api.get(f"{path}/scale")
    assert scale["spec"] == {"replicas": 1} and scale["status"] == {"replicas": 1, "selector": "a=b"}
    scale["spec"]["replicas"] = 3
    api.put(f"{path}/scale", scale)
    now = api.get(path)
    assert now["spec"] == {"replicas": 3} and now["metadata"]["generation"] == 2 and now["status"]["replicas"] == 1


def test_versions_are_converted_and_printed(api, define):
    columns = [{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}]
    custom = define(schema(size={"type": "integer"}), "v1", "v2", additionalPrinterColumns=columns,
                    selectableFields=[{"jsonPath": ".spec.size"}])
    custom.make("a", spec={"size": 7})
    second = api.get(f"{custom.objects('v2')}/a")
    assert second["apiVersion"] == f"{custom.group}/v2" and second["spec"] == {"size": 7}
    table = api.get(custom.objects("v2"), Accept="application/json;as=Table;g=meta.k8s.io;v=v1")
    assert [c["name"] for c in table["columnDefinitions"]] == ["Name", "Size"]
    assert table["rows"][0]["cells"] == ["a", 7]
    assert not api.get(custom.objects() + "?fieldSelector=spec.size%3D8")["items"]
    assert len(api.get(custom.objects() + "?fieldSelector=spec.size%3D7")["items"]) == 1
    partial = api.get(custom.objects(), Accept="application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1")
    assert partial["items"][0]["metadata"]["name"] == "a"


def test_protobuf_and_strategic_patches_are_refused(api, define):
    custom = define(KEEPS)
    custom.make("a")
    protobuf = "application/vnd.kubernetes.protobuf"
    assert api.ask("GET", custom.objects(), Accept=protobuf).status == 406
    assert api.ask("GET", custom.objects(), Accept=f"{protobuf},application/json").status == 200
    assert api.ask("POST", custom.objects(), b"k8s\0", Content_Type=protobuf).status == 415
    assert api.ask("PATCH", f"{custom.objects()}/a", {},
                   Content_Type="application/strategic-merge-patch+json").status == 415


def test_openapi_describes_custom_resources(api, define):
    custom = define(schema(size={"type": "integer", "description": "How long it is"}))
    paths = api.get("/openapi/v3")["paths"]
    document = api.get(paths[f"apis/{custom.group}/v1"]["serverRelativeURL"])
    name = ".".join(reversed(custom.group.split("."))) + ".v1.Boat"
    found = document["components"]["schemas"][name]
    assert found["properties"]["spec"]["properties"]["size"]["description"] == "How long it is"
    assert found["x-kubernetes-group-version-kind"] == [{"group": custom.group, "kind": "Boat", "version": "v1"}]
    assert f"/apis/{custom.group}/v1/namespaces/{{namespace}}/boats/{{name}}" in document["paths"]


@pytest.mark.parametrize("change, said", [
    (lambda spec: spec["versions"][0].pop("schema"), "spec.versions[0].schema.openAPIV3Schema: Required value"),
    (lambda spec: spec["versions"][0]["schema"].update(openAPIV3Schema={"type": "object", "x-kubernetes-validations": [
        {"rule": "true"}]}), "rules in CEL are not supported by this server yet"),
    (lambda spec: spec.update(conversion={"strategy": "Webhook"}), "conversion by webhooks is not supported"),
    (lambda spec: spec.update(group="flat"), "should be a domain with at least one dot"),
    (lambda spec: spec["versions"][0].update(storage=False), "must have exactly one version marked as storage version"),
])
def test_bad_definitions_are_refused(api, change, said):
    spec = {"group": "bad.example.io", "scope": "Namespaced", "names": {"plural": "boats", "kind": "Boat"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": KEEPS}}]}
    change(spec)
    answer = api.ask("POST", CRDS, {"metadata": {"name": "boats.bad.example.io"}, "spec": spec})
    assert answer.status == 422 and said in answer.json["message"]


def test_names_of_a_group_are_given_once(api, define):
    first = define(KEEPS)
    second = json.loads(json.dumps(first.body))
    second["metadata"]["name"] = f"ships.{first.group}"
    second["spec"]["names"] = {"plural": "ships", "kind": "Boat"}
    api.post(CRDS, second)
    refused = api.wait_one(CRDS, second["metadata"]["name"], lambda crd: crd["status"].get("conditions") and crd)
    accepted = next(c for c in refused["status"]["conditions"] if c["type"] == "NamesAccepted")
    assert accepted["status"] == "False" and accepted["reason"] == "ListKindConflict"
    api.delete(first.path)
    api.wait_gone(CRDS, first.name)
    api.wait_one(CRDS, second["metadata"]["name"], is_established)
    api.delete(f"{CRDS}/{second['metadata']['name']}")


def test_definitions_and_objects_survive_a_restart(tmp_path):
    """In etcd a definition is v1beta1 and an object plain JSON, as upstream writes both."""
    with running(tmp_path / "cp") as plane:
        api = Client(plane.kubeconfig)
        custom = Custom(api, schema(size={"type": "integer", "default": 2}),
                        additionalPrinterColumns=[{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}])
        custom.make("a", spec={})
        before = api.get(custom.path), api.get(f"{custom.objects()}/a")
        key = f"/registry/apiextensions.k8s.io/customresourcedefinitions/{custom.name}"
        stored = json.loads(plane.etcdctl("get", "--print-value-only", key))
        assert stored["apiVersion"] == "apiextensions.k8s.io/v1beta1" and stored["spec"]["version"] == "v1"
        assert stored["spec"]["validation"]["openAPIV3Schema"]["type"] == "object"
        assert stored["spec"]["additionalPrinterColumns"][0]["JSONPath"] == ".spec.size"
        assert stored["spec"]["preserveUnknownFields"] is False and "schema" not in stored["spec"]["versions"][0]
        boat = json.loads(plane.etcdctl("get", "--print-value-only", f"/registry/{custom.group}/boats/default/a"))
        assert boat["apiVersion"] == f"{custom.group}/v1" and boat["spec"] == {"size": 2}
        plane.processes["kube-apiserver"].stop()
        plane.start_one("kube-apiserver")
        assert (api.get(custom.path), api.get(f"{custom.objects()}/a")) == before


def test_a_deprecated_version_says_so(api, define):
    plain, worded = define(KEEPS, deprecated=True), define(KEEPS, deprecated=True, deprecationWarning="sail v2")
    answers = [api.ask("GET", custom.objects()).headers["Warning"] for custom in (plain, worded)]
    assert answers == [f'299 - "{plain.group}/v1 Boat is deprecated"', '299 - "sail v2"']


def test_nothing_is_made_while_the_definition_goes(api, define):
    custom = define(KEEPS)
    api.post(custom.objects(), {**custom.boat("held"), "metadata": {"name": "held", "finalizers": ["example.io/hold"]}})
    api.delete(custom.path)
    api.wait_one(CRDS, custom.name, lambda crd: any(
        c["type"] == "Terminating" and c["reason"] == "InstanceDeletionInProgress" for c in crd["status"]["conditions"]))
    with pytest.raises(Refused) as refused:
        custom.make("late")
    assert refused.value.status == 405
    assert refused.value.body["message"] == "create not allowed while custom resource definition is terminating"
    api.patch(f"{custom.objects()}/held", {"metadata": {"finalizers": None}})
    api.wait_gone(CRDS, custom.name)
