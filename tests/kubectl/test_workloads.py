"""A Deployment on nodes: its pods are bound, are replaced when a Node goes, disappear with their owner."""
import json

# A silent Node is noticed within seconds rather than a minute.
CLUSTER_FLAGS = {"kube-controller-manager": ("--node-monitor-period=500ms", "--node-monitor-grace-period=3s")}

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: c, image: "registry.test/web:1"}]
      tolerations:
      - {key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 0}
      - {key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 0}
"""


def live(pods):
    return [pod for pod in pods.values() if "deletionTimestamp" not in pod["metadata"]
            and pod["status"]["phase"] == "Running"]


def image(kubectl):
    return kubectl(["get", "deployment", "web", "-o", "jsonpath={.spec.template.spec.containers[0].image}"])


def test_rollout(kubectl, nodes):
    kubectl("create -f -", DEPLOYMENT)
    assert 'deployment "web" successfully rolled out' in kubectl("rollout status deployment/web --timeout=30s")
    assert kubectl("wait --for=condition=Available deployment/web --timeout=30s") == (
        "deployment.apps/web condition met\n")
    kubectl("wait --for=condition=Ready pod -l app=web --timeout=30s")
    pods = json.loads(kubectl("get pods -l app=web -o json"))["items"]
    assert len(pods) == 3 and {pod["spec"]["nodeName"] for pod in pods} <= {node.name for node in nodes}
    line = kubectl("get pods -l app=web -o wide --no-headers").splitlines()[0].split()
    assert line[1:4] == ["1/1", "Running", "0"] and line[5].startswith("10.244.") and line[6].startswith("node-")
    told = kubectl(f"describe pod {line[0]}")
    assert "Controlled By:  ReplicaSet/web-" in told and "Successfully assigned" in told


def test_rollout_of_a_new_image_and_back(kubectl, nodes):
    kubectl("create -f -", DEPLOYMENT)
    kubectl("rollout status deployment/web --timeout=30s")
    kubectl("set image deployment/web c=registry.test/web:2")
    kubectl("annotate deployment/web kubernetes.io/change-cause=second")
    assert "successfully rolled out" in kubectl("rollout status deployment/web --timeout=30s")
    history = kubectl("rollout history deployment/web").splitlines()
    assert [line.split()[0] for line in history[2:4]] == ["1", "2"] and "second" in history[3]
    assert "registry.test/web:1" in kubectl("rollout history deployment/web --revision=1")
    assert "rolled back" in kubectl("rollout undo deployment/web")
    assert "successfully rolled out" in kubectl("rollout status deployment/web --timeout=30s")
    assert image(kubectl) == "registry.test/web:1"
    sets = json.loads(kubectl("get replicasets -o json"))["items"]
    assert sorted(one["spec"]["replicas"] for one in sets) == [0, 3]
    assert "restarted" in kubectl("rollout restart deployment/web")
    assert "successfully rolled out" in kubectl("rollout status deployment/web --timeout=30s")


def test_pause_and_resume(kubectl, nodes):
    kubectl("create -f -", DEPLOYMENT)
    assert "paused" in kubectl("rollout pause deployment/web")
    kubectl("set image deployment/web c=registry.test/web:2")
    assert "resumed" in kubectl("rollout resume deployment/web")
    assert "successfully rolled out" in kubectl("rollout status deployment/web --timeout=30s")


def test_scale(kubectl, nodes, whole):
    kubectl("create -f -", DEPLOYMENT)
    pods = f"/api/v1/namespaces/{kubectl.namespace}/pods"
    for count in (5, 1):
        assert kubectl(f"scale deployment/web --replicas={count}") == "deployment.apps/web scaled\n"
        whole.wait(pods, lambda found: len(found) == count == len(live(found)))
    assert "Expected replicas to be 3" in kubectl.refused("scale deployment/web --current-replicas=3 --replicas=2")


def test_pods_move_when_a_node_goes(kubectl, nodes, whole):
    kubectl("create -f -", DEPLOYMENT)
    kubectl("rollout status deployment/web --timeout=30s")
    pods = f"/api/v1/namespaces/{kubectl.namespace}/pods"
    before = whole.wait(pods, lambda found: len(live(found)) == 3 and found)
    lost = next(node for node in nodes if node.name == next(iter(before.values()))["spec"]["nodeName"])
    lost.vanish()
    left = {node.name for node in nodes} - {lost.name}
    after = whole.wait(pods, lambda found: len(live(found)) == 3 and live(found) if
                       {pod["spec"]["nodeName"] for pod in live(found)} <= left else None)
    kept = {pod["metadata"]["uid"] for pod in before.values() if pod["spec"]["nodeName"] in left}
    assert kept <= {pod["metadata"]["uid"] for pod in after}
    assert "NotReady" in kubectl(f"get node {lost.name}")
    taints = json.loads(kubectl(f"get node {lost.name} -o json"))["spec"]["taints"]
    assert {"node.kubernetes.io/unreachable"} == {taint["key"] for taint in taints}
    lost.start()
    kubectl(f"wait --for=condition=Ready node/{lost.name} --timeout=30s")
    whole.wait(pods, lambda found: len(found) == 3 == len(live(found)))


def test_pods_disappear_with_their_owner(kubectl, nodes, whole):
    kubectl("create -f -", DEPLOYMENT)
    kubectl("rollout status deployment/web --timeout=30s")
    kubectl("delete deployment web")
    for what in ("/api/v1/namespaces/{}/pods", "/apis/apps/v1/namespaces/{}/replicasets"):
        whole.wait(what.format(kubectl.namespace), lambda found: not found)


def test_orphans_stay(kubectl, nodes, whole):
    kubectl("create -f -", DEPLOYMENT)
    kubectl("rollout status deployment/web --timeout=30s")
    kubectl("delete deployment web --cascade=orphan")
    sets = whole.get(f"/apis/apps/v1/namespaces/{kubectl.namespace}/replicasets")["items"]
    assert len(sets) == 1 and "ownerReferences" not in sets[0]["metadata"]
    assert len(live({str(n): pod for n, pod in enumerate(
        whole.get(f"/api/v1/namespaces/{kubectl.namespace}/pods")["items"])})) == 3


def test_run_cordon_and_drain(kubectl, nodes, whole):
    kubectl("create -f -", DEPLOYMENT)
    kubectl("rollout status deployment/web --timeout=30s")
    assert kubectl("run alone --image=registry.test/alone:1 --restart=Never") == "pod/alone created\n"
    kubectl("wait --for=condition=Ready pod/alone --timeout=30s")
    name = nodes[0].name
    told = kubectl(f"drain {name} --force --timeout=30s")
    assert f"node/{name} drained" in told
    assert "SchedulingDisabled" in kubectl(f"get node {name}")
    pods = whole.wait(f"/api/v1/namespaces/{kubectl.namespace}/pods",
                      lambda found: len([pod for pod in live(found) if pod["metadata"]["name"] != "alone"]) == 3
                      and live(found))
    assert name not in {pod["spec"]["nodeName"] for pod in pods}
    assert kubectl(f"uncordon {name}") == f"node/{name} uncordoned\n"
    assert kubectl(f"taint node {name} test=1:NoSchedule") == f"node/{name} tainted\n"
    assert kubectl(f"taint node {name} test-") == f"node/{name} untainted\n"
