"""C01: the garbage collector, after apimachinery/garbage_collector.go."""
from controllers_api import apps, core, owned, template, workload


def rc(name, replicas):
    return {"apiVersion": "v1", "kind": "ReplicationController", "metadata": {"name": name},
            "spec": {"replicas": replicas, "selector": {"app": name}, "template": template(name)}}


def deployment_with_set(api, ns):
    made = api.create(apps(ns, "deployments"), workload("Deployment", "d", 2))
    sets = api.until(apps(ns, "replicasets"), lambda all: owned(all, made["metadata"]["uid"]))
    return made, next(iter(sets))


def test_should_delete_rs_created_by_deployment_when_not_orphaning(api, ns):
    deployment_with_set(api, ns)
    api.delete(apps(ns, "deployments", "d"), "Background")
    api.until(apps(ns, "replicasets"), lambda all: not all)
    api.until(core(ns, "pods"), lambda all: not all)


def test_should_orphan_rs_created_by_deployment_when_policy_is_orphan(api, ns):
    _, name = deployment_with_set(api, ns)
    api.delete(apps(ns, "deployments", "d"), "Orphan")
    api.until(apps(ns, "deployments"), lambda all: not all)
    sets = api.until(apps(ns, "replicasets"), lambda all: not all[name]["metadata"].get("ownerReferences"))
    assert list(sets) == [name]


def test_should_delete_pods_created_by_rc_when_not_orphaning(api, ns):
    api.create(core(ns, "replicationcontrollers"), rc("r", 3))
    api.until(core(ns, "pods"), lambda all: len(all) == 3)
    api.delete(core(ns, "replicationcontrollers", "r"), "Background")
    api.until(core(ns, "pods"), lambda all: not all)


def test_should_orphan_pods_created_by_rc_if_delete_options_say_so(api, ns):
    api.create(core(ns, "replicationcontrollers"), rc("r", 3))
    api.until(core(ns, "pods"), lambda all: len(all) == 3)
    api.delete(core(ns, "replicationcontrollers", "r"), "Orphan")
    api.until(core(ns, "replicationcontrollers"), lambda all: not all)
    pods = api.get(core(ns, "pods"))["items"]
    assert len(pods) == 3 and not any(pod["metadata"].get("ownerReferences") for pod in pods)


def test_should_keep_the_rc_around_until_all_its_pods_are_deleted(api, ns):
    api.create(core(ns, "replicationcontrollers"), rc("r", 2))
    pods = api.until(core(ns, "pods"), lambda all: len(all) == 2)
    held = next(iter(pods))
    api.patch(core(ns, "pods", held), {"metadata": {"finalizers": ["example.com/hold"]}})
    api.delete(core(ns, "replicationcontrollers", "r"), "Foreground")
    api.until(core(ns, "pods"), lambda all: list(all) == [held] and "deletionTimestamp" in all[held]["metadata"])
    left = api.get(core(ns, "replicationcontrollers", "r"))
    assert "foregroundDeletion" in left["metadata"]["finalizers"]
    api.patch(core(ns, "pods", held), {"metadata": {"finalizers": None}})
    api.until(core(ns, "replicationcontrollers"), lambda all: not all)


def test_should_not_delete_dependents_that_have_both_valid_owner_and_owner_that_waits(api, ns):
    first = api.create(core(ns, "replicationcontrollers"), rc("going", 2))
    stays = api.create(core(ns, "replicationcontrollers"), rc("stays", 0))
    pods = api.until(core(ns, "pods"), lambda all: len(owned(all, first["metadata"]["uid"])) == 2)
    shared = next(iter(pods))
    references = pods[shared]["metadata"]["ownerReferences"]
    references.append({"apiVersion": "v1", "kind": "ReplicationController", "name": "stays",
                       "uid": stays["metadata"]["uid"]})
    api.patch(core(ns, "pods", shared), {"metadata": {"ownerReferences": references}})
    api.delete(core(ns, "replicationcontrollers", "going"), "Foreground")
    api.until(core(ns, "replicationcontrollers"), lambda all: "going" not in all)
    pods = api.until(core(ns, "pods"), lambda all: list(all) == [shared])
    assert [ref["name"] for ref in pods[shared]["metadata"]["ownerReferences"]] == ["stays"]


def test_should_not_be_blocked_by_dependency_circle(api, ns):
    uids = {}
    for name in ("a", "b", "c"):
        made = api.create(core(ns, "configmaps"), {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})
        uids[name] = made["metadata"]["uid"]
    for name, owner in (("a", "c"), ("b", "a"), ("c", "b")):
        api.patch(core(ns, "configmaps", name), {"metadata": {"ownerReferences": [
            {"apiVersion": "v1", "kind": "ConfigMap", "name": owner, "uid": uids[owner], "controller": True,
             "blockOwnerDeletion": True}]}})
    api.delete(core(ns, "configmaps", "a"), "Foreground")
    api.until(core(ns, "configmaps"), lambda all: not {"a", "b", "c"} & set(all))


def test_object_with_an_owner_of_another_namespace_is_deleted(api, ns):
    other = api.create(core("default", "configmaps"), {"apiVersion": "v1", "kind": "ConfigMap",
                                                       "metadata": {"generateName": "owner-"}})
    api.create(core(ns, "configmaps"), {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {
        "name": "dep", "ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap",
                                            "name": other["metadata"]["name"], "uid": other["metadata"]["uid"]}]}})
    api.until(core(ns, "configmaps"), lambda all: "dep" not in all)
    api.delete(core("default", "configmaps", other["metadata"]["name"]))
