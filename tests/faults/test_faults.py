"""Processes of the control plane are killed under fifty writers; api-churn proves that nothing was lost."""
import pytest
from churn import Churn
from client import Refused

ROUNDS = 20
WRITERS, WATCHERS, NODES = 50, 40, 10
WRITES = 5  # of each writer between two kills
# Of one process each there is no leader to wait for; nodes without a kubelet stay ready.
CLUSTER_FLAGS = {"kube-scheduler": ["--leader-elect=false"],
                 "kube-controller-manager": ["--leader-elect=false", "--node-monitor-grace-period=1h"]}


@pytest.fixture(scope="module", autouse=True)
def nodes(whole):
    size = {"cpu": "64", "memory": "256Gi", "pods": "250"}
    for i in range(NODES):
        whole.post("/api/v1/nodes", {
            "metadata": {"name": f"node-{i}", "labels": {"kubernetes.io/hostname": f"node-{i}"}},
            "status": {"capacity": size, "allocatable": size,
                       "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}]}})


@pytest.fixture
def churn(cluster, namespace):
    churn = Churn(cluster.bin / "api-churn", cluster.kubeconfig, namespace, WRITERS, WATCHERS)
    try:
        churn.wait("acked")
        yield churn
    finally:
        churn.end()


def works(whole, namespace):
    """The controllers make a deployment's pods, and the scheduler binds them."""
    labels = {"app": "works"}
    whole.post(f"/apis/apps/v1/namespaces/{namespace}/deployments", {
        "metadata": {"name": labels["app"]},
        "spec": {"replicas": 3, "selector": {"matchLabels": labels},
                 "template": {"metadata": {"labels": labels},
                              "spec": {"containers": [{"name": "c", "image": "i"}]}}}})
    whole.wait(f"/api/v1/namespaces/{namespace}/pods",
               lambda pods: sum("nodeName" in pod["spec"] for pod in pods.values()) == 3,
               f"labelSelector=app%3D{labels['app']}")


@pytest.mark.parametrize("name", ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"])
def test_nothing_is_lost_when_a_process_is_killed(cluster, whole, namespace, churn, name):
    for _ in range(ROUNDS):
        cluster.processes[name].kill()
        cluster.start_one(name, CLUSTER_FLAGS.get(name, ()))
        for _ in range(WRITES):
            churn.wait("acked")
    result = churn.result()
    assert result["acked"] >= WRITERS * (ROUNDS * WRITES + 1)
    if name in ("etcd", "kube-apiserver"):
        assert result["refused"] > 0
    works(whole, namespace)


def test_writers_are_told_to_come_back_while_etcd_is_stopped(cluster, whole, namespace, churn):
    cluster.processes["etcd"].stop()
    churn.wait("refused")
    with pytest.raises(Refused) as refused:
        whole.get(f"/api/v1/namespaces/{namespace}/pods")
    assert refused.value.status >= 500
    cluster.start_one("etcd")
    churn.wait("acked")
    assert churn.result()["by_5xx"] >= WRITERS
    works(whole, namespace)
