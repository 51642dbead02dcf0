"""What kubectl changes: apply, create, edit, the patches, labels, deletion, waiting, differences."""
import json

import pytest

CONFIG = """
apiVersion: v1
kind: ConfigMap
metadata:
  name: a
  labels: {app: x}
data:
  k: v
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80}, {name: https, port: 443}]
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
    spec:
      containers:
      - {name: c, image: "registry.test/web:1", env: [{name: A, value: "1"}]}
      - {name: side, image: "registry.test/side:1"}
"""


def get(kubectl, what):
    return json.loads(kubectl(f"get {what} -o json"))


@pytest.fixture
def config(kubectl):
    kubectl("create -f -", CONFIG)


def test_apply(kubectl):
    assert kubectl("apply -f -", CONFIG) == "configmap/a created\n"
    assert kubectl("apply -f -", CONFIG) == "configmap/a unchanged\n"
    kubectl(["patch", "cm", "a", "--type=merge", "-p", '{"data":{"others": "1"}}'])
    changed = CONFIG.replace("k: v", "k2: v2").replace("app: x", "app: z")
    assert kubectl("apply -f -", changed) == "configmap/a configured\n"
    now = get(kubectl, "configmap a")
    assert now["data"] == {"k2": "v2", "others": "1"} and now["metadata"]["labels"] == {"app": "z"}
    applied = json.loads(now["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"])
    assert applied["data"] == {"k2": "v2"}


def test_apply_merges_lists_by_key(kubectl):
    kubectl("apply -f -", SERVICE)
    kubectl("apply -f -", DEPLOYMENT)
    before = get(kubectl, "service web")["spec"]
    assert [port["targetPort"] for port in before["ports"]] == [80, 443] and before["clusterIP"].startswith("10.96.")
    kubectl("apply -f -", SERVICE.replace(", {name: https, port: 443}", ""))
    after = get(kubectl, "service web")["spec"]
    assert after["ports"] == before["ports"][:1] and after["clusterIP"] == before["clusterIP"]
    kubectl("set env deployment/web -c c B=2")
    kubectl("apply -f -", DEPLOYMENT.replace('value: "1"', 'value: "3"'))
    env = get(kubectl, "deployment web")["spec"]["template"]["spec"]["containers"][0]["env"]
    assert sorted((one["name"], one["value"]) for one in env) == [("A", "3"), ("B", "2")]


def test_apply_several_prunes_and_views(kubectl):
    both = CONFIG + "---" + CONFIG.replace("name: a", "name: b")
    assert kubectl("apply -f -", both) == "configmap/a created\nconfigmap/b created\n"
    pruned = kubectl("apply -f - --prune -l app=x --prune-allowlist=core/v1/ConfigMap", CONFIG)
    assert pruned == "configmap/a unchanged\nconfigmap/b pruned\n"
    assert '"k":"v"' in kubectl("apply view-last-applied configmap a -o json").replace(" ", "")


def test_apply_a_dry_run(kubectl, config):
    assert "configmap/b created (server dry run)" in kubectl("apply --dry-run=server -f -",
                                                             CONFIG.replace("name: a", "name: b"))
    assert "not found" in kubectl.refused("get configmap b")
    assert "configured (server dry run)" in kubectl("apply --dry-run=server -f -", CONFIG.replace("k: v", "k: w"))
    assert get(kubectl, "configmap a")["data"] == {"k": "v"}


def test_create(kubectl, config):
    assert 'configmaps "a" already exists' in kubectl.refused("create -f -", CONFIG)
    kubectl("create configmap literal --from-literal=x=1")
    kubectl("create secret generic hidden --from-literal=p=word")
    assert get(kubectl, "secret hidden")["data"] == {"p": "d29yZA=="}
    kubectl("create deployment web --image=registry.test/web:1 --replicas=0 --port=80")
    kubectl("expose deployment web --port=80 --name=front")
    assert get(kubectl, "service front")["spec"]["selector"] == {"app": "web"}
    kubectl("create job once --image=registry.test/job:1")
    kubectl(["create", "cronjob", "often", "--image=registry.test/job:1", "--schedule=*/5 * * * *"])
    kubectl("create ingress web --rule=host.test/path=front:80")
    kubectl("create poddisruptionbudget web --selector=app=web --min-available=1")
    token = kubectl("create token default --duration=10m").strip()
    assert len(token.split(".")) == 3


def test_create_refuses_what_it_does_not_know(kubectl):
    wrong = CONFIG + "wombat: 1\n"
    assert 'unknown field "wombat"' in kubectl.refused("create -f -", wrong)
    assert 'unknown field "wombat"' in kubectl.refused("apply -f -", wrong)
    assert "created" in kubectl("create --validate=ignore -f -", wrong)
    bad = kubectl.refused("create -f -", DEPLOYMENT.replace("app: web}}", "app: other}}", 1))
    assert "`selector` does not match template `labels`" in bad


def test_edit(kubectl, config):
    assert kubectl("edit configmap a", KUBE_EDITOR="sed -i 's/k: v/k: edited/'") == "configmap/a edited\n"
    assert get(kubectl, "configmap a")["data"] == {"k": "edited"}
    assert "no changes made" in kubectl.ask("edit configmap a", KUBE_EDITOR="true").stderr


@pytest.mark.parametrize("kind, patch, want", [
    ("json", '[{"op": "test", "path": "/data/k", "value": "v"}, {"op": "add", "path": "/data/n", "value": "1"}]',
     {"k": "v", "n": "1"}),
    ("merge", '{"data": {"k": null, "n": "2"}}', {"n": "2"}),
    ("strategic", '{"data": {"n": "3"}}', {"k": "v", "n": "3"})])
def test_patch(kubectl, config, kind, patch, want):
    assert kubectl(["patch", "configmap", "a", f"--type={kind}", "-p", patch]) == "configmap/a patched\n"
    assert get(kubectl, "configmap a")["data"] == want
    assert "(no change)" in kubectl(["patch", "configmap", "a", "--type=merge", "-p", '{"data": {}}'])


def test_patch_merges_containers_by_name(kubectl):
    kubectl("create -f -", DEPLOYMENT)
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "registry.test/web:2"}]}}}}
    kubectl(["patch", "deployment", "web", "-p", json.dumps(patch)])
    found = get(kubectl, "deployment web")["spec"]["template"]["spec"]["containers"]
    assert [one["image"] for one in found] == ["registry.test/web:2", "registry.test/side:1"]
    kubectl(["patch", "deployment", "web", "--type=merge", "-p", json.dumps(patch)])
    found = get(kubectl, "deployment web")["spec"]["template"]["spec"]["containers"]
    assert [one["image"] for one in found] == ["registry.test/web:2"]


def test_patch_that_does_not_hold(kubectl, config):
    failed = kubectl.refused(["patch", "configmap", "a", "--type=json", "-p",
                              '[{"op": "test", "path": "/data/k", "value": "x"}]'])
    assert "testing value /data/k failed" in failed or "the server rejected our request" in failed
    assert get(kubectl, "configmap a")["data"] == {"k": "v"}


def test_label_and_annotate(kubectl, config):
    assert kubectl("label configmap a tier=front") == "configmap/a labeled\n"
    assert "--overwrite is false" in kubectl.refused("label configmap a tier=back")
    kubectl("label configmap a tier=back app- --overwrite")
    kubectl("annotate configmap a note=yes")
    meta = get(kubectl, "configmap a")["metadata"]
    assert meta["labels"] == {"tier": "back"} and meta["annotations"] == {"note": "yes"}
    assert kubectl("annotate configmap a note-") == "configmap/a annotated\n"
    assert "annotations" not in get(kubectl, "configmap a")["metadata"]
    assert "configmap/a labeled" in kubectl("label configmaps --all all=1")


def test_replace(kubectl, config):
    now = get(kubectl, "configmap a")
    now["data"] = {"r": "1"}
    assert kubectl("replace -f -", json.dumps(now)) == "configmap/a replaced\n"
    assert "the object has been modified" in kubectl.refused("replace -f -", json.dumps(now))
    assert kubectl("replace --force -f -", CONFIG).endswith("configmap/a replaced\n")
    assert get(kubectl, "configmap a")["metadata"]["uid"] != now["metadata"]["uid"]


def test_diff(kubectl):
    kubectl("apply -f -", CONFIG)
    same = kubectl.ask("diff -f -", CONFIG)
    assert (same.returncode, same.stdout) == (0, "")
    other = kubectl.ask("diff -f -", CONFIG.replace("k: v", "k: w"))
    assert other.returncode == 1 and "\n-  k: v\n" in other.stdout and "\n+  k: w\n" in other.stdout
    fresh = kubectl.ask("diff -f -", CONFIG.replace("name: a", "name: b"))
    assert fresh.returncode == 1 and "\n+  name: b\n" in fresh.stdout
    assert get(kubectl, "configmap a")["data"] == {"k": "v"}


def test_delete(kubectl, config):
    kubectl("create configmap b")
    kubectl("create configmap c")
    assert "(server dry run)" in kubectl("delete configmap b --dry-run=server")
    assert kubectl("delete configmap b").startswith('configmap "b" deleted')
    assert 'configmaps "b" not found' in kubectl.refused("delete configmap b")
    assert kubectl("delete configmap b --ignore-not-found") == ""
    kubectl("delete configmaps -l app=x")
    kubectl("delete -f - --ignore-not-found", CONFIG)
    kubectl("delete configmaps --field-selector metadata.name=c")
    assert kubectl("get configmaps -o name") == "configmap/kube-root-ca.crt\n"


def test_delete_waits_for_finalizers(kubectl, config):
    kubectl(["patch", "configmap", "a", "-p", '{"metadata": {"finalizers": ["test/hold"]}}'])
    kubectl("delete configmap a --wait=false")
    assert "deletionTimestamp" in get(kubectl, "configmap a")["metadata"]
    with kubectl.background("wait --for=delete configmap/a --timeout=30s") as waiting:
        kubectl(["patch", "configmap", "a", "--type=json", "-p", '[{"op": "remove", "path": "/metadata/finalizers"}]'])
        assert waiting.wait() == 0
    assert "not found" in kubectl.refused("get configmap a")


def test_wait(kubectl, config):
    with kubectl.background(["wait", "--for=jsonpath={.data.k}=later", "configmap/a", "--timeout=30s"]) as waiting:
        kubectl(["patch", "configmap", "a", "-p", '{"data":{"k":"later"}}'])
        assert waiting.communicate()[0] == "configmap/a condition met\n" and waiting.returncode == 0
    assert "timed out waiting for the condition" in kubectl.refused(
        ["wait", "--for=jsonpath={.data.k}=never", "configmap/a", "--timeout=100ms"])


def test_delete_a_namespace(kubectl, config):
    kubectl("create -f -", DEPLOYMENT)
    assert kubectl(f"delete namespace {kubectl.namespace} --timeout=30s").startswith("namespace")
    assert "not found" in kubectl.refused(f"get namespace {kubectl.namespace}")
    assert kubectl("get configmaps,deployments,serviceaccounts -o name") == ""
