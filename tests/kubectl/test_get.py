"""What kubectl shows: every form of output, descriptions, explanations, discovery, who may do what."""
import json
import re
import socket
import tempfile
import urllib.request

import pytest
import yaml

CONFIG = """
apiVersion: v1
kind: ConfigMap
metadata: {name: a, labels: {app: x, tier: front}}
data: {k: v, l: w}
"""
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: "registry.test/web:1", ports: [{containerPort: 80}]}]}
"""


@pytest.fixture
def config(kubectl):
    kubectl("create -f -", CONFIG)


def rows(table):
    return [line.split() for line in table.splitlines()]


def test_table(kubectl, config):
    head, root, row = rows(kubectl("get configmaps --sort-by=.metadata.name"))[:1] + sorted(
        rows(kubectl("get configmaps --no-headers")), reverse=True)
    assert head == ["NAME", "DATA", "AGE"]
    assert root[:2] == ["kube-root-ca.crt", "1"] and row[:2] == ["a", "2"]
    assert rows(kubectl("get cm a --show-labels"))[1][3] == "app=x,tier=front"
    assert rows(kubectl("get cm a -L tier"))[1][3] == "front"


def test_wide(kubectl):
    kubectl("create -f -", DEPLOYMENT)
    head, row = rows(kubectl("get deployment web -o wide"))
    assert head == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE", "CONTAINERS", "IMAGES", "SELECTOR"]
    assert row[:4] == ["web", "0/0", "0", "0"] and row[5:] == ["c", "registry.test/web:1", "app=web"]


def test_yaml_and_json(kubectl, config):
    as_yaml, as_json = (yaml.safe_load(kubectl(f"get configmap a -o {form}")) for form in ("yaml", "json"))
    assert as_yaml == as_json
    assert as_json["data"] == {"k": "v", "l": "w"} and as_json["metadata"]["labels"] == {"app": "x", "tier": "front"}
    listed = json.loads(kubectl("get configmaps -l app=x -o json"))
    assert listed["kind"] == "List" and [one["metadata"]["name"] for one in listed["items"]] == ["a"]


def test_jsonpath_and_templates(kubectl, config):
    assert kubectl(["get", "cm", "a", "-o", "jsonpath={.metadata.name}={.data.k}"]) == "a=v"
    assert kubectl(["get", "cm", "-l", "app", "-o", 'jsonpath={range .items[*]}{.metadata.name}{"\\n"}{end}']) == "a\n"
    assert kubectl(["get", "cm", "a", "-o", "go-template={{.data.l}}"]) == "w"
    assert kubectl("get cm a -o name") == "configmap/a\n"


def test_custom_columns(kubectl, config):
    table = rows(kubectl(["get", "cm", "a", "-o", "custom-columns=N:.metadata.name,K:.data.k,NONE:.data.none"]))
    assert table == [["N", "K", "NONE"], ["a", "v", "<none>"]]


def test_selectors(kubectl, config):
    assert kubectl(["get", "cm", "-l", "tier in (front,back),app!=y", "-o", "name"]) == "configmap/a\n"
    assert kubectl("get cm --field-selector metadata.name=a -o name") == "configmap/a\n"
    assert "No resources found" in kubectl.ask("get cm -l app=other").stderr
    assert 'configmaps "none" not found' in kubectl.refused("get configmap none")
    assert "doesn't have a resource type" in kubectl.refused("get wombats")


def test_all_of_several_kinds(kubectl):
    kubectl("create -f -", DEPLOYMENT)
    kubectl("create service clusterip web --tcp=80")
    names = set(kubectl("get all -o name").split())
    assert {"deployment.apps/web", "service/web"} <= names
    assert f"namespace/{kubectl.namespace}\n" in kubectl("get namespaces -o name")


def test_watch(kubectl, config):
    columns = "custom-columns=E:.type,N:.object.metadata.name,K:.object.data.k"
    with kubectl.background(f"get cm -w -l app=x --output-watch-events -o {columns} --no-headers") as watch:
        assert watch.stdout.readline().split() == ["ADDED", "a", "v"]
        kubectl(["patch", "cm", "a", "-p", '{"data":{"k":"new"}}'])
        assert watch.stdout.readline().split() == ["MODIFIED", "a", "new"]
        kubectl("label cm a app-")
        assert watch.stdout.readline().split() == ["DELETED", "a", "new"]


def test_watch_of_a_table(kubectl):
    with kubectl.background("get configmaps -w -l app=x") as watch:
        kubectl("create -f -", CONFIG)
        assert watch.stdout.readline().split() == ["NAME", "DATA", "AGE"]
        assert watch.stdout.readline().split()[:2] == ["a", "2"]


def test_describe(kubectl):
    kubectl("create -f -", DEPLOYMENT)
    kubectl("rollout status deployment web")
    told = kubectl("describe deployment web")
    for line in ("Name:                   web", "Selector:               app=web", "StrategyType:           RollingUpdate",
                 "RollingUpdateStrategy:  25% max unavailable, 25% max surge", "    Image:         registry.test/web:1"):
        assert line in told.splitlines()
    told = kubectl(f"describe namespace {kubectl.namespace}")
    assert "Status:       Active" in told and "No LimitRange resource." in told


def test_describe_shows_events(kubectl, whole):
    kubectl("create -f -", DEPLOYMENT.replace("replicas: 0", "replicas: 1"))
    events = f"/api/v1/namespaces/{kubectl.namespace}/events"
    whole.wait(events, lambda all_of: any(one["reason"] == "ScalingReplicaSet" for one in all_of.values()))
    told = kubectl("describe deployment web")
    assert "ScalingReplicaSet" in told and "deployment-controller" in told and "to 1" in told
    assert "ScalingReplicaSet" in kubectl("events --for deployment/web")
    assert "ScalingReplicaSet" in kubectl("get events --field-selector reason=ScalingReplicaSet")


def test_explain(kubectl):
    told = kubectl("explain deployment.spec.strategy.rollingUpdate")
    assert "GROUP:      apps" in told and "KIND:       Deployment" in told and "VERSION:    v1" in told
    assert "FIELD: rollingUpdate <RollingUpdateDeployment>" in told
    assert "maxSurge\t<IntOrString>" in told and "maxUnavailable\t<IntOrString>" in told
    told = kubectl("explain pod.spec --recursive")
    assert "containers\t<[]Container> -required-" in told and "tolerationSeconds\t<integer>" in told
    assert 'field "wombat" does not exist' in kubectl.refused("explain pod.spec.wombat")


def test_api_resources(kubectl):
    table = rows(kubectl("api-resources"))
    assert ["deployments", "deploy", "apps/v1", "true", "Deployment"] in table
    assert ["nodes", "no", "v1", "false", "Node"] in table
    names = kubectl("api-resources --namespaced=false -o name").split()
    assert "clusterroles.rbac.authorization.k8s.io" in names and "pods" not in names
    assert "bindings" not in kubectl("api-resources --verbs=list -o name").split()
    assert ["daemonsets.apps", "deployments.apps"] == [
        name for name in kubectl("api-resources --api-group=apps -o name").split() if name.startswith("d")]


def test_api_versions_and_version(kubectl):
    versions = kubectl("api-versions").split()
    assert {"v1", "apps/v1", "batch/v1", "rbac.authorization.k8s.io/v1", "storage.k8s.io/v1"} <= set(versions)
    assert versions == sorted(versions)
    assert json.loads(kubectl("version -o json"))["serverVersion"]["gitVersion"].startswith("v1.36.")
    assert "Kubernetes control plane" in kubectl("cluster-info")


def test_raw(kubectl, config):
    path = f"/api/v1/namespaces/{kubectl.namespace}/configmaps"
    assert json.loads(kubectl(f"get --raw {path}/a"))["data"] == {"k": "v", "l": "w"}
    assert kubectl("get --raw /readyz") == "ok"
    assert "[+]etcd ok" in kubectl("get --raw /readyz?verbose")
    assert "apiserver_request_total" in kubectl("get --raw /metrics")
    made = json.loads(kubectl(f"create --raw {path} -f -", '{"metadata": {"name": "raw"}}'))
    assert made["metadata"]["uid"]
    assert json.loads(kubectl(f"delete --raw {path}/raw"))["status"] == "Success"


def test_may_i(kubectl):
    assert kubectl("auth can-i '*' '*'") == "yes\n"
    kubectl("create serviceaccount robot")
    kubectl("create role reader --verb=get,list --resource=configmaps")
    kubectl(f"create rolebinding reader --role=reader --serviceaccount={kubectl.namespace}:robot")
    who = f"--as=system:serviceaccount:{kubectl.namespace}:robot"
    assert kubectl(f"auth can-i list configmaps {who}") == "yes\n"
    assert kubectl.ask(f"auth can-i delete configmaps {who}").stdout.startswith("no")
    listed = rows(kubectl(f"auth can-i --list {who}"))
    assert ["configmaps", "[]", "[]", "[get", "list]"] in listed
    refusal = kubectl.refused(f"get secrets {who}")
    assert f'User "system:serviceaccount:{kubectl.namespace}:robot" cannot list resource "secrets"' in refusal
    assert "system:masters" in kubectl("auth whoami")


def test_proxy_on_any_port(kubectl):
    """Upstream's "Proxy server should support proxy with --port 0"."""
    with kubectl.background("proxy --port 0") as proxy:
        port = re.fullmatch(r"Starting to serve on 127\.0\.0\.1:(\d+)\n", proxy.stdout.readline())[1]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/") as answer:
            assert json.load(answer)["versions"] == ["v1"]


def test_proxy_on_a_unix_socket(kubectl):
    """Upstream's "Proxy server should support --unix-socket=/path"."""
    with tempfile.TemporaryDirectory() as folder, kubectl.background(f"proxy --unix-socket={folder}/s") as proxy:
        assert proxy.stdout.readline().startswith("Starting to serve on")
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(f"{folder}/s")  # whose path must be short
            connection.sendall(b"GET /api/ HTTP/1.0\r\nHost: localhost\r\n\r\n")
            with connection.makefile("rb") as answer:
                assert b'"versions"' in answer.read()


def test_pages(kubectl):
    """A list in chunks reads as one."""
    for name in "abcde":
        kubectl(f"create configmap {name} --from-literal=k={name}")
    names = kubectl("get configmaps --chunk-size=2 -o name").split()
    assert names == [f"configmap/{name}" for name in ("a", "b", "c", "d", "e", "kube-root-ca.crt")]
