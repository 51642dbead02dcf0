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
    for name in made:
        api.patch(f"{VOLUMES}/{name}", {"metadata": {"finalizers": None}})
        if "deletionTimestamp" not in api.get(f"{VOLUMES}/{name}")["metadata"]:
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
