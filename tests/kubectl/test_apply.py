"""Server-side apply by kubectl: conflicts, the way from client-side apply, differences."""
import json

CONFIG = """
apiVersion: v1
kind: ConfigMap
metadata:
  name: a
  labels: {app: x}
data:
  k: v
"""
LAST = "kubectl.kubernetes.io/last-applied-configuration"


def get(kubectl, what):
    return json.loads(kubectl(f"get {what} -o json --show-managed-fields"))


def managers(object_):
    return [(one["manager"], one["operation"]) for one in object_["metadata"]["managedFields"]]


def test_apply_and_conflicts(kubectl):
    assert kubectl("apply --server-side -f -", CONFIG) == "configmap/a serverside-applied\n"
    before = get(kubectl, "configmap a")
    assert kubectl("apply --server-side -f -", CONFIG) == "configmap/a serverside-applied\n"
    assert get(kubectl, "configmap a") == before and managers(before) == [("kubectl", "Apply")]
    assert "managedFields" not in kubectl("get configmap a -o yaml")
    other = CONFIG.replace("k: v", "k: w")
    said = kubectl.refused("apply --server-side --field-manager=other -f -", other)
    assert 'Apply failed with 1 conflict: conflict with "kubectl": .data.k' in said
    kubectl("apply --server-side --field-manager=other --force-conflicts -f -", other)
    now = get(kubectl, "configmap a")
    assert now["data"] == {"k": "w"} and managers(now) == [("kubectl", "Apply"), ("other", "Apply")]


def test_what_others_edit_is_a_conflict(kubectl):
    kubectl("apply --server-side -f -", CONFIG)
    kubectl("label --overwrite configmap a app=y")
    said = kubectl.refused("apply --server-side -f -", CONFIG)
    assert 'conflict with "kubectl-label" using v1: .metadata.labels.app' in said


def test_client_side_apply_becomes_server_side(kubectl):
    kubectl("apply -f -", CONFIG)
    assert managers(get(kubectl, "configmap a")) == [("kubectl-client-side-apply", "Update")]
    kubectl("apply --server-side -f -", CONFIG.replace("k: v", "k2: v2"))
    now = get(kubectl, "configmap a")
    assert now["data"] == {"k2": "v2"} and ("kubectl", "Apply") in managers(now)
    assert json.loads(now["metadata"]["annotations"][LAST])["data"] == {"k2": "v2"}
    assert kubectl("apply -f -", CONFIG) == "configmap/a configured\n"
    assert get(kubectl, "configmap a")["data"] == {"k": "v"}


def test_diff(kubectl):
    kubectl("apply --server-side -f -", CONFIG)
    same = kubectl.ask("diff --server-side -f -", CONFIG)
    assert (same.returncode, same.stdout) == (0, "")
    other = kubectl.ask("diff --server-side -f -", CONFIG.replace("k: v", "k: w"))
    assert other.returncode == 1 and "-  k: v" in other.stdout and "+  k: w" in other.stdout


def test_unknown_fields(kubectl):
    said = kubectl.refused("apply --server-side -f -", CONFIG + "wombat: 1\n")
    assert ".wombat: field not declared in schema" in said
