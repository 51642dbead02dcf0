"""The forms of answers: tables, metadata, YAML, gzip, discovery, OpenAPI."""
import gzip
import json

import yaml

TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"
METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def make(api, ns, **data):
    return api.post(f"{ns}/configmaps", {"metadata": {"name": "a"}, "data": data})


def test_tables(api, ns):
    make(api, ns, x="1", y="2")
    table = api.get(f"{ns}/configmaps", Accept=TABLE)
    assert table["kind"] == "Table" and table["apiVersion"] == "meta.k8s.io/v1"
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Data", "Age"]
    row = table["rows"][0]
    assert row["cells"][:2] == ["a", 2]
    assert row["object"]["kind"] == "PartialObjectMetadata" and row["object"]["metadata"]["name"] == "a"
    bare = api.get(f"{ns}/configmaps?includeObject=None", Accept=TABLE)
    assert bare["rows"][0].get("object") is None
    assert api.get(f"{ns}/configmaps/a", Accept=TABLE)["rows"][0]["cells"][0] == "a"


def test_metadata_alone(api, ns):
    made = make(api, ns, x="1")
    partial = api.get(f"{ns}/configmaps", Accept=METADATA)
    assert partial["kind"] == "PartialObjectMetadataList"
    assert partial["items"] == [{"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
                                 "metadata": made["metadata"]}]


def test_yaml_and_gzip(api, ns):
    made = make(api, ns, x="abc " * 50000)
    answer = api.ask("GET", f"{ns}/configmaps/a", Accept="application/yaml")
    assert answer.headers["Content-Type"] == "application/yaml" and yaml.safe_load(answer.data) == made
    packed = api.ask("GET", f"{ns}/configmaps/a", Accept_Encoding="gzip")
    assert packed.headers["Content-Encoding"] == "gzip" and json.loads(gzip.decompress(packed.data)) == made
    small = api.ask("GET", f"{ns}/serviceaccounts/default", Accept_Encoding="gzip")
    assert "Content-Encoding" not in small.headers


def test_protobuf(api, ns):
    make(api, ns, x="1")
    answer = api.ask("GET", f"{ns}/configmaps", Accept="application/vnd.kubernetes.protobuf")
    assert answer.headers["Content-Type"] == "application/vnd.kubernetes.protobuf"
    assert answer.data.startswith(b"k8s\0") and b"ConfigMapList" in answer.data[:64]


def test_discovery_tells_the_same_both_ways(api):
    groups = api.get("/apis")["groups"]
    aggregated = api.get("/apis", Accept=AGGREGATED)
    assert [group["name"] for group in groups] == [item["metadata"]["name"] for item in aggregated["items"]]
    for group in aggregated["items"]:
        for version in group["versions"]:
            listed = api.get(f"/apis/{group['metadata']['name']}/{version['version']}")["resources"]
            plain = {one["name"] for one in listed}
            told = {one["resource"] for one in version["resources"]}
            told |= {f"{one['resource']}/{sub['subresource']}" for one in version["resources"]
                     for sub in one.get("subresources", [])}
            assert plain == told


def test_discovery_is_not_sent_twice(api):
    first = api.ask("GET", "/apis", Accept=AGGREGATED)
    assert first.headers["Content-Type"] == AGGREGATED and first.headers["Vary"] == "Accept"
    again = api.ask("GET", "/apis", Accept=AGGREGATED, If_None_Match=first.headers["ETag"])
    assert again.status == 304 and again.data == b""


def test_openapi_tells_what_kubectl_asks(api):
    index = api.get("/openapi/v3")["paths"]
    document = api.ask("GET", index["apis/apps/v1"]["serverRelativeURL"])
    assert document.headers["Cache-Control"] == "public, immutable"
    paths = document.json["paths"]
    patch = paths["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"]
    assert patch["x-kubernetes-action"] == "patch"
    assert patch["x-kubernetes-group-version-kind"] == {"group": "apps", "kind": "Deployment", "version": "v1"}
    assert {"dryRun", "fieldManager", "fieldValidation"} <= {one["name"] for one in patch["parameters"]}
    schemas = document.json["components"]["schemas"]
    containers = schemas["io.k8s.api.core.v1.PodSpec"]["properties"]["containers"]
    assert containers["x-kubernetes-list-map-keys"] == ["name"]
    assert containers["x-kubernetes-patch-merge-key"] == "name"
    for text in json.dumps(document.json).split('"$ref": "#/components/schemas/')[1:]:
        assert text.split('"')[0] in schemas


def test_health_version_metrics(api):
    assert api.ask("GET", "/readyz").data == b"ok"
    assert "[+]etcd ok" in api.ask("GET", "/livez?verbose").data.decode()
    assert api.get("/version")["gitVersion"].startswith("v1.36.")
    api.ask("GET", "/api/v1/namespaces/default")
    metrics = api.ask("GET", "/metrics").data.decode()
    assert 'apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="namespaces"' in metrics
