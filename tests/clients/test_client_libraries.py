"""The clients that people write operators with: Python, JavaScript, Go."""
import os
import subprocess
import threading

import kubernetes
import pytest
from kubernetes.client.rest import ApiException
from kubernetes.dynamic import DynamicClient


@pytest.fixture
def client(cluster):
    return kubernetes.config.new_client_from_config(str(cluster.kubeconfig))


def deployment(name, image, replicas):
    labels = {"app": name}
    template = kubernetes.client.V1PodTemplateSpec(
        metadata=kubernetes.client.V1ObjectMeta(labels=labels),
        spec=kubernetes.client.V1PodSpec(containers=[kubernetes.client.V1Container(name="c", image=image)]))
    return kubernetes.client.V1Deployment(
        metadata=kubernetes.client.V1ObjectMeta(name=name),
        spec=kubernetes.client.V1DeploymentSpec(
            replicas=replicas, selector=kubernetes.client.V1LabelSelector(match_labels=labels), template=template))


def test_python_objects(client, namespace):
    core = kubernetes.client.CoreV1Api(client)
    body = kubernetes.client.V1ConfigMap(metadata=kubernetes.client.V1ObjectMeta(name="py"), data={"k": "v"})
    made = core.create_namespaced_config_map(namespace, body)
    assert made.metadata.uid and made.metadata.creation_timestamp.tzinfo
    made.data["k"] = "w"
    assert core.replace_namespaced_config_map("py", namespace, made).data == {"k": "w"}
    with pytest.raises(ApiException) as caught:
        core.replace_namespaced_config_map("py", namespace, made)
    assert caught.value.status == 409 and caught.value.reason == "Conflict"
    patched = core.patch_namespaced_config_map("py", namespace, {"data": {"n": "1"}})
    assert patched.data == {"k": "w", "n": "1"}
    assert [one.metadata.name for one in core.list_namespaced_config_map(namespace, limit=1).items] == [
        "kube-root-ca.crt"]
    assert core.delete_namespaced_config_map("py", namespace).status == "Success"
    with pytest.raises(ApiException) as caught:
        core.read_namespaced_config_map("py", namespace)
    assert caught.value.status == 404


def test_python_watch(client, namespace):
    apps = kubernetes.client.AppsV1Api(client)
    apps.create_namespaced_deployment(namespace, deployment("py", "registry.test/py:1", 2))
    watch = kubernetes.watch.Watch()
    for event in watch.stream(apps.list_namespaced_deployment, namespace, timeout_seconds=30):
        if event["object"].status.replicas == 2:
            break
    else:
        raise AssertionError("the deployment has no two replicas")
    watch.stop()
    scale = apps.read_namespaced_deployment_scale("py", namespace)
    assert (scale.spec.replicas, scale.status.replicas, scale.status.selector) == (2, 2, "app=py")
    pods = kubernetes.client.CoreV1Api(client).list_namespaced_pod(namespace, label_selector="app=py").items
    assert len(pods) == 2 and {pod.metadata.owner_references[0].kind for pod in pods} == {"ReplicaSet"}


def test_python_dynamic_client(client, namespace, tmp_path):
    dynamic = DynamicClient(client, cache_file=str(tmp_path / "discovery"))
    configs = dynamic.resources.get(api_version="v1", kind="ConfigMap")
    configs.create(namespace=namespace, body={"metadata": {"name": "dyn"}, "data": {"k": "v"}})
    patched = configs.patch(name="dyn", namespace=namespace, body={"data": {"k": "w"}},
                            content_type="application/merge-patch+json")
    assert patched.data.k == "w"
    roles = dynamic.resources.get(api_version="rbac.authorization.k8s.io/v1", kind="ClusterRole")
    assert roles.get(name="cluster-admin").rules[0].verbs == ["*"]


def test_python_lease_has_one_taker(client, namespace):
    """Of several who replace one version of a Lease, as electors do, one has it."""
    api = kubernetes.client.CoordinationV1Api(client)
    lease = kubernetes.client.V1Lease(
        metadata=kubernetes.client.V1ObjectMeta(name="lock"),
        spec=kubernetes.client.V1LeaseSpec(holder_identity="first", lease_duration_seconds=15))
    held = api.create_namespaced_lease(namespace, lease)
    winners = []

    def take(name):
        copy = api.read_namespaced_lease("lock", namespace)
        copy.metadata.resource_version = held.metadata.resource_version
        copy.spec.holder_identity = name
        try:
            winners.append(api.replace_namespaced_lease("lock", namespace, copy).spec.holder_identity)
        except ApiException as refused:
            assert refused.status == 409

    candidates = [threading.Thread(target=take, args=(name,)) for name in ("second", "third", "fourth")]
    for candidate in candidates:
        candidate.start()
    for candidate in candidates:
        candidate.join()
    assert len(winners) == 1
    assert api.read_namespaced_lease("lock", namespace).spec.holder_identity == winners[0]


def test_javascript(cluster, namespace, javascript):
    done = subprocess.run(["node", "client.mjs", namespace], cwd=javascript, capture_output=True, text=True,
                          env={**os.environ, "KUBECONFIG": str(cluster.kubeconfig)}, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "ok\n"), done.stdout + done.stderr


def test_go_informers_over_protobuf(cluster, namespace, go_client):
    done = subprocess.run([go_client, cluster.kubeconfig, namespace], capture_output=True, text=True, timeout=90,
                          check=False)
    assert (done.returncode, done.stdout) == (0, "ok\n"), done.stdout + done.stderr
