"""Discovery, version, tables, field validation, after upstream's conformance tests of the same names."""
import pytest
from client import Refused

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
GROUPS = {"apps", "authentication.k8s.io", "authorization.k8s.io", "batch", "certificates.k8s.io",
          "coordination.k8s.io", "discovery.k8s.io", "events.k8s.io", "networking.k8s.io", "node.k8s.io", "policy",
          "rbac.authorization.k8s.io", "scheduling.k8s.io", "storage.k8s.io"}


def test_discovery_should_validate_preferred_version_for_each_api_group(whole):
    groups = whole.get("/apis")["groups"]
    assert GROUPS <= {group["name"] for group in groups}
    for group in groups:
        one = whole.get(f"/apis/{group['name']}")
        assert one["preferredVersion"] == group["preferredVersion"]
        assert group["preferredVersion"] in group["versions"]


@pytest.mark.parametrize("group, plural", [
    ("apps/v1", "deployments"), ("batch/v1", "jobs"), ("events.k8s.io/v1", "events"),
    ("networking.k8s.io/v1", "ingresses"), ("policy/v1", "poddisruptionbudgets"),
    ("scheduling.k8s.io/v1", "priorityclasses")])
def test_discovery_should_locate_the_group_version_and_a_resource_within_each_api_group(whole, group, plural):
    listed = whole.get(f"/apis/{group}")
    assert (listed["kind"], listed["groupVersion"]) == ("APIResourceList", group)
    assert plural in [one["name"] for one in listed["resources"]]


@pytest.mark.parametrize("path", ["/api", "/apis"])
def test_aggregated_discovery_should_support_raw_aggregated_discovery_endpoint_accept_headers(whole, path):
    answer = whole.ask("GET", path, Accept=AGGREGATED)
    assert answer.status == 200 and answer.headers["Content-Type"] == AGGREGATED
    assert (answer.json["kind"], answer.json["apiVersion"]) == ("APIGroupDiscoveryList", "apidiscovery.k8s.io/v2")
    plain = whole.ask("GET", path, Accept="application/json")
    assert plain.json["kind"] == ("APIVersions" if path == "/api" else "APIGroupList")


def test_aggregated_discovery_should_support_aggregated_discovery_interface(whole):
    """What the one document says is what the many say."""
    for group in whole.get("/apis", Accept=AGGREGATED)["items"]:
        for version in group["versions"]:
            listed = whole.get(f"/apis/{group['metadata']['name']}/{version['version']}")["resources"]
            told = {one["resource"]: one for one in version["resources"]}
            assert {one["name"] for one in listed if "/" not in one["name"]} == set(told)
            for one in listed:
                if "/" not in one["name"]:
                    assert sorted(one["verbs"]) == sorted(told[one["name"]]["verbs"])
                    assert one["kind"] == told[one["name"]]["responseKind"]["kind"]


def test_server_version_should_find_the_server_version(whole):
    version = whole.get("/version")
    assert version["major"] == "1" and int(version["minor"].rstrip("+")) >= 36


def deployment(**more):
    labels = {"app": "x"}
    container = {"name": "c", "image": "registry.test/c:1"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"},
            "spec": {"replicas": 0, "selector": {"matchLabels": labels},
                     "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}}}, **more}


def test_field_validation_should_detect_unknown_and_duplicate_fields_of_a_typed_object(whole, namespace):
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    text = ('{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": {"replicas": 0, '
            '"replicas": 1, "unknownField": "x", "selector": {"matchLabels": {"app": "x"}}, "template": {"metadata": '
            '{"labels": {"app": "x"}}, "spec": {"containers": [{"name": "c", "image": "registry.test/c:1"}]}}}}')
    with pytest.raises(Refused) as caught:
        whole.post(f"{path}?fieldValidation=Strict", text)
    assert caught.value.status == 400
    for field in ('unknown field "spec.unknownField"', 'duplicate field "spec.replicas"'):
        assert field in caught.value.body["message"]
    warned = whole.ask("POST", f"{path}?fieldValidation=Warn", text)
    assert warned.status == 201 and "unknown field" in "".join(warned.headers.get_all("Warning"))


def test_field_validation_should_detect_unknown_metadata_fields_of_a_typed_object(whole, namespace):
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    body = deployment(metadata={"name": "d", "unknownMeta": 1})
    with pytest.raises(Refused) as caught:
        whole.post(f"{path}?fieldValidation=Strict", body)
    assert 'unknown field "metadata.unknownMeta"' in caught.value.body["message"]
    body = deployment()
    body["spec"]["template"]["metadata"]["unknownMeta"] = 1
    with pytest.raises(Refused) as caught:
        whole.post(f"{path}?fieldValidation=Strict", body)
    assert 'unknown field "spec.template.metadata.unknownMeta"' in caught.value.body["message"]


def test_table_transformation_should_return_a_406_for_a_backend_which_does_not_implement_metadata(whole):
    review = {"spec": {"nonResourceAttributes": {"path": "/", "verb": "get"}}}
    answer = whole.ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review,
                       Accept="application/json;as=Table;v=v1;g=meta.k8s.io")
    assert answer.status == 406 and answer.json["reason"] == "NotAcceptable"
