"""Persistent volumes and claims: bound to each other, kept while in use."""
import itertools

import pytest
from controllers_api import core

VOLUMES = "/api/v1/persistentvolumes"
CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
NAMES = (f"volume-{number}" for number in itertools.count())


def claim(name, size="1Gi", storage_class="", **spec):
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name},
            "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": storage_class,
                     "resources": {"requests": {"storage": size}}, **spec}}


@pytest.fixture
def volume(api):
    """Makes volumes and removes them."""
    made = []

    def make(size="1Gi", **spec):
        name = next(NAMES)
        api.create(VOLUMES, {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name},
                             "spec": {"capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"],
                                      "persistentVolumeReclaimPolicy": "Retain", "storageClassName": name,
                                      "hostPath": {"path": "/tmp"}, **spec}})
        made.append(name)
        return name

    yield make
    left = {item["metadata"]["name"] for item in api.get(VOLUMES)["items"]}
    for name in left.intersection(made):
        api.delete(f"{VOLUMES}/{name}")


def test_a_claim_stays_while_a_pod_uses_it(api, ns):
    api.create(core(ns, "persistentvolumeclaims"), claim("used"))
    api.until(core(ns, "serviceaccounts"), lambda all: "default" in all)
    api.create(core(ns, "pods"), {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {
        "containers": [{"name": "c", "image": "one"}],
        "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "used"}}]}})
    api.until(core(ns, "pods"), lambda all: all["p"]["spec"].get("nodeName"))
    api.delete(core(ns, "persistentvolumeclaims", "used"))
    api.create(core(ns, "persistentvolumeclaims"), claim("unused"))
    api.delete(core(ns, "persistentvolumeclaims", "unused"))
    left = api.until(core(ns, "persistentvolumeclaims"), lambda all: "unused" not in all)
    assert left["used"]["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]
    api.delete(core(ns, "pods", "p"))
    api.until(core(ns, "persistentvolumeclaims"), lambda all: "used" not in all)


def test_protection_comes_back(api, ns):
    api.create(core(ns, "persistentvolumeclaims"), claim("bare"))
    api.patch(core(ns, "persistentvolumeclaims", "bare"), {"metadata": {"finalizers": None}})
    api.until(core(ns, "persistentvolumeclaims"),
              lambda all: all["bare"]["metadata"].get("finalizers") == ["kubernetes.io/pvc-protection"])


def bound_to(claim_name, volume_name):
    def holds(all):
        found = all.get(claim_name, {})
        return found.get("status", {}).get("phase") == "Bound" and found["spec"].get("volumeName") == volume_name
    return holds


def in_phase(name, phase):
    return lambda all: all[name]["status"].get("phase") == phase


def event_of(api, ns, reason):
    all = api.until(core(ns, "events"), lambda all: any(e["reason"] == reason for e in all.values()))
    return [e["message"] for e in all.values() if e["reason"] == reason][0]


def test_a_claim_is_bound_to_the_smallest_volume_that_fits(api, ns, volume):
    big = volume("5Gi", storageClassName="sizes")
    small, fitting = volume("1Gi", storageClassName="sizes"), volume("3Gi", storageClassName="sizes")
    api.until(VOLUMES, lambda found: all(in_phase(name, "Available")(found) for name in (big, small, fitting)))
    made = api.create(core(ns, "persistentvolumeclaims"), claim("two", "2Gi", "sizes"))
    found = api.until(core(ns, "persistentvolumeclaims"), bound_to("two", fitting))["two"]
    assert found["status"]["capacity"] == {"storage": "3Gi"}
    assert found["status"]["accessModes"] == ["ReadWriteOnce"]
    assert found["metadata"]["annotations"] == {"pv.kubernetes.io/bind-completed": "yes",
                                                "pv.kubernetes.io/bound-by-controller": "yes"}
    taken = api.get(f"{VOLUMES}/{fitting}")
    assert taken["status"]["phase"] == "Bound"
    assert taken["spec"]["claimRef"]["uid"] == made["metadata"]["uid"]
    assert api.get(f"{VOLUMES}/{big}")["status"]["phase"] == "Available"


def test_a_claim_waits_for_a_volume(api, ns, volume):
    api.create(core(ns, "persistentvolumeclaims"), claim("early", storage_class=""))
    assert event_of(api, ns, "FailedBinding") == (
        "no persistent volumes available for this claim and no storage class is set")
    name = volume(storageClassName="", claimRef={"namespace": ns, "name": "early"})
    api.until(core(ns, "persistentvolumeclaims"), bound_to("early", name))
    api.until(VOLUMES, in_phase(name, "Bound"))
    assert "annotations" not in api.get(f"{VOLUMES}/{name}")["metadata"]


def test_a_claim_that_names_a_volume_gets_that_or_none(api, ns, volume):
    name = volume(storageClassName="named")
    api.create(core(ns, "persistentvolumeclaims"), claim("big", "2Gi", "named", volumeName=name))
    assert event_of(api, ns, "VolumeMismatch") == f'Cannot bind to requested volume "{name}": requested PV is too small'
    api.create(core(ns, "persistentvolumeclaims"), claim("fits", "1Gi", "named", volumeName=name))
    api.until(core(ns, "persistentvolumeclaims"), bound_to("fits", name))


def test_a_volume_is_released_when_its_claim_is_gone(api, ns, volume):
    kept = volume()
    doomed = volume(persistentVolumeReclaimPolicy="Delete")
    for one in (kept, doomed):
        api.create(core(ns, "persistentvolumeclaims"), claim(one, storage_class=one))
        api.until(core(ns, "persistentvolumeclaims"), bound_to(one, one))
        api.delete(core(ns, "persistentvolumeclaims", one))
    api.until(VOLUMES, in_phase(kept, "Released"))
    failed = api.until(VOLUMES, in_phase(doomed, "Failed"))[doomed]
    assert failed["status"]["message"] == (
        f'error getting deleter volume plugin for volume "{doomed}": no deletable volume plugin matched')


def test_a_claim_is_lost_with_its_volume(api, ns, volume):
    name = volume()
    api.create(core(ns, "persistentvolumeclaims"), claim("lost", storage_class=name))
    api.until(core(ns, "persistentvolumeclaims"), bound_to("lost", name))
    api.delete(f"{VOLUMES}/{name}")
    assert api.get(f"{VOLUMES}/{name}")["metadata"]["finalizers"] == ["kubernetes.io/pv-protection"]
    api.patch(f"{VOLUMES}/{name}", {"metadata": {"finalizers": None}})
    api.until(core(ns, "persistentvolumeclaims"), in_phase("lost", "Lost"))
    assert event_of(api, ns, "ClaimLost") == "Bound claim has lost its PersistentVolume. Data on the volume is lost!"


def test_classes_tell_who_makes_volumes_and_when(api, ns, volume):
    for name, provisioner, mode in (("late", "kubernetes.io/no-provisioner", "WaitForFirstConsumer"),
                                    ("made", "example.com/maker", "Immediate")):
        api.create(CLASSES, {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name},
                             "provisioner": provisioner, "volumeBindingMode": mode})
    one = volume(storageClassName="late")
    api.until(VOLUMES, in_phase(one, "Available"))
    api.create(core(ns, "persistentvolumeclaims"), claim("late", storage_class="late"))
    assert event_of(api, ns, "WaitForFirstConsumer") == "waiting for first consumer to be created before binding"
    assert api.get(f"{VOLUMES}/{one}")["status"]["phase"] == "Available"
    api.create(core(ns, "persistentvolumeclaims"), claim("made", storage_class="made"))
    found = api.until(core(ns, "persistentvolumeclaims"), lambda all: all["made"]["metadata"].get("annotations"))
    assert found["made"]["metadata"]["annotations"]["volume.kubernetes.io/storage-provisioner"] == "example.com/maker"
    assert event_of(api, ns, "ExternalProvisioning").startswith("Waiting for a volume to be created either by the "
                                                                "external provisioner 'example.com/maker' or")
    for name in ("late", "made"):
        api.delete(f"{CLASSES}/{name}")


def test_volume_attributes_class_should_run_through_the_lifecycle_of_a_volume_attributes_class(api, ns):
    classes = "/apis/storage.k8s.io/v1/volumeattributesclasses"
    name = f"fast-{ns}"
    api.create(classes, {"apiVersion": "storage.k8s.io/v1", "kind": "VolumeAttributesClass", "metadata": {"name": name},
                         "driverName": "test.example", "parameters": {"iops": "1"}})
    api.patch(f"{classes}/{name}", {"metadata": {"labels": {"patched": "yes"}}})
    api.create(core(ns, "persistentvolumeclaims"), claim("faster", volumeAttributesClassName=name))
    api.until(core(ns, "events"), lambda all: any(event["reason"] == "FailedBinding" for event in all.values()))
    api.delete(f"{classes}/{name}")
    stays = api.get(f"{classes}/{name}")["metadata"]
    assert stays["deletionTimestamp"] and stays["finalizers"] == ["kubernetes.io/vac-protection"]
    api.delete(core(ns, "persistentvolumeclaims/faster"))
    api.until(classes, lambda all: name not in all)
