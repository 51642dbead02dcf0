"""C04, C05, C06, C07, C08: replica sets, deployments, daemon sets, replication controllers, stateful sets, after
apps/*.go."""
from controllers_api import NODES, apps, core, is_ready, owned, template, workload


def images(pods):
    return {pod["spec"]["containers"][0]["image"] for pod in pods.values()}


def set_image(api, ns, plural, name, image):
    api.patch(apps(ns, plural, name), {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": image}]}}}},
              "strategic-merge")


def is_complete(name):
    def holds(all):
        wanted, status = all[name]["spec"]["replicas"], all[name]["status"]
        return (status.get("observedGeneration") == all[name]["metadata"]["generation"]
                and status.get("updatedReplicas", 0) == status.get("replicas", 0) == wanted
                and status.get("availableReplicas", 0) == wanted)
    return holds


def test_replica_set_should_adopt_matching_pods_on_creation_and_release_no_longer_matching_pods(api, ns):
    api.until(core(ns, "serviceaccounts"), lambda all: "default" in all)
    api.create(core(ns, "pods"), {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "lone", "labels": {"app": "rs"}},
                                  "spec": {"containers": [{"name": "c", "image": "one"}]}})
    made = api.create(apps(ns, "replicasets"), workload("ReplicaSet", "rs", 1))
    api.until(core(ns, "pods"), lambda all: owned(all, made["metadata"]["uid"]) and list(all) == ["lone"])
    api.patch(core(ns, "pods", "lone"), {"metadata": {"labels": {"app": "other"}}})
    pods = api.until(core(ns, "pods"),
                     lambda all: len(all) == 2 and not all["lone"]["metadata"].get("ownerReferences"))
    assert len(owned(pods, made["metadata"]["uid"])) == 1


def test_replica_set_should_have_a_working_scale_subresource(api, ns):
    api.create(apps(ns, "replicasets"), workload("ReplicaSet", "rs", 1))
    scale = api.get(apps(ns, "replicasets", "rs/scale"))
    scale["spec"]["replicas"] = 3
    del scale["metadata"]["resourceVersion"]  # whatever it is by now
    api.call("PUT", apps(ns, "replicasets", "rs/scale"), scale)
    api.until(apps(ns, "replicasets"), lambda all: all["rs"]["status"].get("readyReplicas") == 3)
    assert api.get(apps(ns, "replicasets", "rs/scale"))["status"]["replicas"] == 3


def test_replication_controller_should_adopt_and_release(api, ns):
    api.until(core(ns, "serviceaccounts"), lambda all: "default" in all)
    api.create(core(ns, "pods"), {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "lone", "labels": {"app": "rc"}},
                                  "spec": {"containers": [{"name": "c", "image": "one"}]}})
    made = api.create(core(ns, "replicationcontrollers"), {
        "apiVersion": "v1", "kind": "ReplicationController", "metadata": {"name": "rc"},
        "spec": {"replicas": 1, "selector": {"app": "rc"}, "template": template("rc")}})
    api.until(core(ns, "pods"), lambda all: owned(all, made["metadata"]["uid"]) and list(all) == ["lone"])
    api.patch(core(ns, "pods", "lone"), {"metadata": {"labels": {"app": "other"}}})
    api.until(core(ns, "pods"), lambda all: len(all) == 2 and not all["lone"]["metadata"].get("ownerReferences"))


def test_rolling_update_deployment_should_delete_old_pods_and_create_new_ones(api, ns):
    api.create(apps(ns, "deployments"), workload("Deployment", "d", 4))
    api.until(apps(ns, "deployments"), is_complete("d"))
    set_image(api, ns, "deployments", "d", "two")
    found = api.until(apps(ns, "deployments"), is_complete("d"))["d"]
    assert found["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"
    pods = api.until(core(ns, "pods"), lambda all: len(all) == 4 and images(all) == {"two"})
    assert all(is_ready(pod) for pod in pods.values())
    reasons = {c["type"]: c["reason"] for c in found["status"]["conditions"]}
    assert reasons == {"Available": "MinimumReplicasAvailable", "Progressing": "NewReplicaSetAvailable"}


def test_recreate_deployment_should_delete_old_pods_and_create_new_ones(api, ns):
    api.create(apps(ns, "deployments"), workload("Deployment", "d", 2, strategy={"type": "Recreate"}))
    api.until(apps(ns, "deployments"), is_complete("d"))
    listed = api.get(core(ns, "pods"))
    set_image(api, ns, "deployments", "d", "two")
    live = {pod["metadata"]["name"]: "one" for pod in listed["items"]}
    for event in api.events(core(ns, "pods"), listed["metadata"]["resourceVersion"]):
        name, image = event["object"]["metadata"]["name"], event["object"]["spec"]["containers"][0]["image"]
        if event["type"] == "DELETED":
            live.pop(name)
        else:
            live[name] = image
        assert len(set(live.values())) <= 1, "pods of two revisions ran at once"
        if list(live.values()) == ["two", "two"]:
            break
    api.until(apps(ns, "deployments"), is_complete("d"))


def test_deployment_should_delete_old_replica_sets(api, ns):
    api.create(apps(ns, "deployments"), workload("Deployment", "d", 1, revisionHistoryLimit=0))
    api.until(apps(ns, "deployments"), is_complete("d"))
    set_image(api, ns, "deployments", "d", "two")
    api.until(apps(ns, "deployments"), is_complete("d"))
    sets = api.until(apps(ns, "replicasets"), lambda all: len(all) == 1)
    assert next(iter(sets.values()))["spec"]["template"]["spec"]["containers"][0]["image"] == "two"


def test_deployment_should_support_rollover(api, ns):
    api.create(apps(ns, "deployments"), workload("Deployment", "d", 2))
    api.until(apps(ns, "deployments"), is_complete("d"))
    api.patch(apps(ns, "deployments", "d"), {"spec": {"template": {"metadata": {"labels": {"kubelet": "pending"}}}}})
    api.until(apps(ns, "replicasets"), lambda all: len(all) == 2)
    api.patch(apps(ns, "deployments", "d"), {"spec": {"template": {"metadata": {"labels": {"kubelet": None, "v": "3"}}}}})
    api.until(apps(ns, "deployments"), is_complete("d"))
    sets = api.until(apps(ns, "replicasets"),
                     lambda all: sorted(rs["spec"]["replicas"] for rs in all.values()) == [0, 0, 2])
    assert len(sets) == 3


def test_deployment_should_support_proportional_scaling(api, ns):
    api.create(apps(ns, "deployments"), workload("Deployment", "d", 10, strategy={
        "type": "RollingUpdate", "rollingUpdate": {"maxSurge": 3, "maxUnavailable": 2}}))
    api.until(apps(ns, "deployments"), is_complete("d"))
    api.patch(apps(ns, "deployments", "d"), {"spec": {"template": {"metadata": {"labels": {"kubelet": "pending"}}}}})
    api.until(apps(ns, "replicasets"), lambda all: sorted(rs["spec"]["replicas"] for rs in all.values()) == [5, 8])
    api.patch(apps(ns, "deployments", "d/scale"), {"spec": {"replicas": 30}})
    api.until(apps(ns, "replicasets"), lambda all: sorted(rs["spec"]["replicas"] for rs in all.values()) == [13, 20])


def test_deployment_paused_does_not_roll_out(api, ns):
    api.create(apps(ns, "deployments"), workload("Deployment", "d", 1))
    api.until(apps(ns, "deployments"), is_complete("d"))
    api.patch(apps(ns, "deployments", "d"), {"spec": {"paused": True}})
    set_image(api, ns, "deployments", "d", "two")
    api.until(apps(ns, "deployments"), lambda all: any(
        c["reason"] == "DeploymentPaused" for c in all["d"]["status"]["conditions"])
        and all["d"]["status"]["observedGeneration"] == all["d"]["metadata"]["generation"])
    assert len(api.get(apps(ns, "replicasets"))["items"]) == 1
    api.patch(apps(ns, "deployments", "d"), {"spec": {"paused": None}})
    api.until(apps(ns, "deployments"), is_complete("d"))
    assert len(api.get(apps(ns, "replicasets"))["items"]) == 2


def test_daemon_set_should_run_and_stop_simple_daemon(api, ns):
    api.create(apps(ns, "daemonsets"), workload("DaemonSet", "ds"))
    api.until(apps(ns, "daemonsets"), lambda all: all["ds"]["status"].get("numberAvailable") == len(NODES))
    pods = {pod["metadata"]["name"]: pod for pod in api.get(core(ns, "pods"))["items"]}
    assert sorted(pod["spec"]["nodeName"] for pod in pods.values()) == sorted(NODES)
    victim = next(iter(pods))
    api.delete(core(ns, "pods", victim), grace=0)
    api.until(core(ns, "pods"), lambda all: victim not in all and len(all) == len(NODES))


def test_daemon_set_should_retry_creating_failed_daemon_pods(api, ns):
    api.create(apps(ns, "daemonsets"), workload("DaemonSet", "ds"))
    pods = api.until(core(ns, "pods"), lambda all: len(all) == len(NODES) and all_ready(all))
    failed = next(iter(pods))
    api.patch(core(ns, "pods", f"{failed}/status"), {"status": {"phase": "Failed"}})
    api.until(core(ns, "pods"), lambda all: failed not in all and len(all) == len(NODES))


def all_ready(pods):
    return all(is_ready(pod) for pod in pods.values())


def test_daemon_set_should_update_pod_when_spec_was_updated_and_update_strategy_is_rolling_update(api, ns):
    api.create(apps(ns, "daemonsets"), workload("DaemonSet", "ds"))
    api.until(apps(ns, "daemonsets"), lambda all: all["ds"]["status"].get("numberAvailable") == len(NODES))
    set_image(api, ns, "daemonsets", "ds", "two")
    pods = api.until(core(ns, "pods"), lambda all: len(all) == len(NODES) and images(all) == {"two"})
    revisions = api.get(apps(ns, "controllerrevisions"))["items"]
    latest = max(revisions, key=lambda revision: revision["revision"])
    assert len(revisions) == 2
    assert {pod["metadata"]["labels"]["controller-revision-hash"] for pod in pods.values()} == {
        latest["metadata"]["labels"]["controller-revision-hash"]}


def stateful(replicas, **spec):
    return workload("StatefulSet", "ss", replicas, serviceName="ss", **spec)


def test_stateful_set_scaling_should_happen_in_predictable_order(api, ns):
    api.create(apps(ns, "statefulsets"), stateful(3))
    seen = []
    api.until(apps(ns, "statefulsets"), lambda all: all["ss"]["status"].get("readyReplicas") == 3)
    created = sorted(api.get(core(ns, "pods"))["items"], key=lambda pod: int(pod["metadata"]["resourceVersion"]))
    assert [pod["metadata"]["name"] for pod in created] == ["ss-0", "ss-1", "ss-2"]
    listed = api.get(core(ns, "pods"))
    api.patch(apps(ns, "statefulsets", "ss/scale"), {"spec": {"replicas": 0}})
    for event in api.events(core(ns, "pods"), listed["metadata"]["resourceVersion"]):
        if event["type"] == "DELETED":
            seen.append(event["object"]["metadata"]["name"])
        if len(seen) == 3:
            break
    assert seen == ["ss-2", "ss-1", "ss-0"]


def test_stateful_set_should_halt_while_a_pod_is_unhealthy(api, ns):
    api.create(apps(ns, "statefulsets"), stateful(3, labels={"kubelet": "pending"}))
    api.until(apps(ns, "statefulsets"), lambda all: all["ss"]["status"].get("replicas") == 1)
    assert [pod["metadata"]["name"] for pod in api.get(core(ns, "pods"))["items"]] == ["ss-0"]


def test_stateful_set_burst_scaling_should_run_to_completion_even_with_unhealthy_pods(api, ns):
    api.create(apps(ns, "statefulsets"), stateful(3, labels={"kubelet": "pending"}, podManagementPolicy="Parallel"))
    api.until(core(ns, "pods"), lambda all: sorted(all) == ["ss-0", "ss-1", "ss-2"])


def test_stateful_set_should_perform_rolling_updates_and_roll_backs_of_template_modifications(api, ns):
    api.create(apps(ns, "statefulsets"), stateful(2))
    first = api.until(apps(ns, "statefulsets"), lambda all: all["ss"]["status"].get("readyReplicas") == 2)
    revision = first["ss"]["status"]["updateRevision"]
    set_image(api, ns, "statefulsets", "ss", "two")
    api.until(core(ns, "pods"), lambda all: len(all) == 2 and images(all) == {"two"} and all_ready(all))
    set_image(api, ns, "statefulsets", "ss", "one")
    api.until(core(ns, "pods"), lambda all: len(all) == 2 and images(all) == {"one"} and all_ready(all))
    api.until(apps(ns, "statefulsets"), lambda all: all["ss"]["status"]["currentRevision"] == revision)
    assert len(api.get(apps(ns, "controllerrevisions"))["items"]) == 2


def test_stateful_set_should_perform_canary_updates_and_phased_rolling_updates(api, ns):
    api.create(apps(ns, "statefulsets"), stateful(3, updateStrategy={"type": "RollingUpdate",
                                                                     "rollingUpdate": {"partition": 2}}))
    api.until(apps(ns, "statefulsets"), lambda all: all["ss"]["status"].get("readyReplicas") == 3)
    set_image(api, ns, "statefulsets", "ss", "two")

    def canary(all):
        return len(all) == 3 and all_ready(all) and [
            all[f"ss-{i}"]["spec"]["containers"][0]["image"] for i in range(3)] == ["one", "one", "two"]

    api.until(core(ns, "pods"), canary)
    api.patch(apps(ns, "statefulsets", "ss"), {"spec": {"updateStrategy": {"rollingUpdate": {"partition": 0}}}})
    api.until(core(ns, "pods"), lambda all: len(all) == 3 and images(all) == {"two"} and all_ready(all))


def test_stateful_set_should_recreate_evicted_pod(api, ns):
    api.create(apps(ns, "statefulsets"), stateful(1))
    pods = api.until(core(ns, "pods"), lambda all: "ss-0" in all and is_ready(all["ss-0"]))
    uid = pods["ss-0"]["metadata"]["uid"]
    api.patch(core(ns, "pods", "ss-0/status"), {"status": {"phase": "Failed", "reason": "Evicted"}})
    api.until(core(ns, "pods"), lambda all: "ss-0" in all and all["ss-0"]["metadata"]["uid"] != uid)
