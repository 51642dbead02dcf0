"""A2: field validation of custom resources, after apimachinery/field_validation.go; aggregated discovery of them."""
import pytest
from custom import CRDS, KEEPS

PORTS = {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["containerPort", "protocol"],
         "items": {"type": "object", "required": ["containerPort", "protocol"], "properties": {
             "containerPort": {"type": "integer", "format": "int32"}, "name": {"type": "string"},
             "protocol": {"type": "string"}}}}
CRON = {"type": "string", "pattern": r"^(\d+|\*)(/\d+)?(\s+(\d+|\*)(/\d+)?){4}$"}
CHECKED = {"type": "object", "properties": {"spec": {"type": "object", "properties": {
    "foo": {"type": "string"}, "cronSpec": CRON, "ports": PORTS}}}}
BOAT = """apiVersion: {group}/v1
kind: Boat
metadata:
  name: mytest{meta}
{root}spec:
  foo: foo1{spec}
  cronSpec: "* * * * */5"
  ports:
  - name: x
    containerPort: 80
    protocol: TCP
"""


def apply(api, custom, meta="", root="", spec=""):
    body = BOAT.format(group=custom.group, meta=meta, root=root, spec=spec)
    return api.ask("PATCH", f"{custom.objects()}/mytest?fieldManager=field_validation_mgr&fieldValidation=Strict", body,
                   Content_Type="application/apply-patch+yaml")


def test_field_validation_should_create_apply_a_cr_with_unknown_fields_for_crd_with_no_validation_schema(api, define):
    custom = define(KEEPS)
    answer = apply(api, custom, spec="\n  unknown: uk1")
    assert answer.status == 201 and answer.json["spec"]["unknown"] == "uk1"


def test_field_validation_should_create_apply_a_valid_cr_for_crd_with_validation_schema(api, define):
    assert apply(api, define(CHECKED)).status == 201


def test_field_validation_should_create_apply_an_invalid_cr_with_extra_properties_for_crd_with_validation_schema(
        api, define):
    answer = apply(api, define(CHECKED), root="unknownField: unknown\n")
    assert answer.status >= 400 and ".unknownField: field not declared in schema" in answer.json["message"]


def test_field_validation_should_detect_duplicates_in_a_cr_when_preserving_unknown_fields(api, define):
    answer = apply(api, define(KEEPS), spec="\n  foo: foo2")
    assert answer.status == 400 and 'line 7: key "foo" already set in map' in answer.json["message"]


@pytest.mark.parametrize("meta, said", [
    ("\n  unknownMeta: unknown", ".metadata.unknownMeta: field not declared in schema"),
    ("", ".spec.template.metadata.unknownSubMeta: field not declared in schema")])
def test_field_validation_should_detect_unknown_metadata_fields_in_both_the_root_and_embedded_object_of_a_cr(
        api, define, meta, said):
    template = {"type": "object", "x-kubernetes-embedded-resource": True, "properties": {
        "apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"},
        "spec": {"type": "object", "properties": {"field": {"type": "string"}}}}}
    spec = {**CHECKED["properties"]["spec"]["properties"], "template": template}
    custom = define({"type": "object", "properties": {"spec": {"type": "object", "properties": spec}}})
    inner = "" if meta else ("\n  template:\n    apiVersion: foo/v1\n    kind: Sub\n    metadata:\n      name: subobject\n"
                             "      unknownSubMeta: unknown\n    spec:\n      field: val")
    answer = apply(api, custom, meta=meta, spec=inner)
    assert answer.status >= 400 and said in answer.json["message"], answer.json


def in_discovery(answer, custom):
    for group in answer["items"]:
        for version in group["versions"] if group["metadata"]["name"] == custom.group else []:
            if version["freshness"] == "Current" and [one["resource"] for one in version["resources"]] == ["boats"]:
                return True
    return False


@pytest.mark.parametrize("versions", ["v2", "v2beta1,application/json;g=apidiscovery.k8s.io;v=v2"])
def test_aggregated_discovery_should_support_raw_aggregated_discovery_request_for_crds(api, define, versions):
    custom = define(KEEPS)
    accept = f"application/json;g=apidiscovery.k8s.io;v={versions};as=APIGroupDiscoveryList"
    assert in_discovery(api.get("/apis", Accept=accept), custom)


def test_aggregated_discovery_should_support_aggregated_discovery_interface_for_crds(api, define):
    accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    custom = define(KEEPS)
    first = api.ask("GET", "/apis", Accept=accept)
    assert in_discovery(first.json, custom)
    again = api.ask("GET", "/apis", Accept=accept, If_None_Match=first.headers["ETag"])
    assert again.status == 304
    api.delete(custom.path)
    api.wait_gone(CRDS, custom.name)
    after = api.ask("GET", "/apis", Accept=accept, If_None_Match=first.headers["ETag"])
    assert after.status == 200 and not in_discovery(after.json, custom)
