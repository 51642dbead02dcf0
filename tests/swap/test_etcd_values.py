"""Keys and values in etcd are upstream's: an upstream API server could take them over."""
import base64
import subprocess

NAME = "etcd-values"
POD = {"containers": [{"name": "c", "image": "registry.test/c:1", "env": [{"name": "A", "value": "b"}],
                       "ports": [{"containerPort": 80}], "livenessProbe": {"httpGet": {"path": "/", "port": 80}},
                       "resources": {"requests": {"cpu": "100m", "memory": "1Gi"}}}],
       "volumes": [{"name": "v", "emptyDir": {}}], "nodeSelector": {"b": "1", "a": "2"}}
TEMPLATE = {"metadata": {"labels": {"app": "x"}}, "spec": POD}
SELECTED = {"selector": {"matchLabels": {"app": "x"}}, "template": TEMPLATE}
JOB = {"template": {"spec": {**POD, "restartPolicy": "Never"}}}
ROLE = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
DISK = {"requests": {"storage": "1Gi"}}
REQUESTS = {"devices": {"requests": [{"name": "gpu", "exactly": {"deviceClassName": "gpu"}}]}}
BACKEND = {"service": {"name": "x", "port": {"number": 80}}}

# What is made: the path below the namespace's, and the object without its name.
NAMESPACED = {
    "api/v1": {
        "configmaps": {"data": {"b": "1", "a": "2"}, "binaryData": {"x": "AAEC"}},
        "endpoints": {"subsets": [{"addresses": [{"ip": "10.1.2.3"}], "ports": [{"port": 80}]}]},
        "events": {"involvedObject": {"kind": "Pod", "namespace": NAME, "name": "x"}, "type": "Normal"},
        "limitranges": {"spec": {"limits": [{"type": "Container", "default": {"cpu": "1"}}]}},
        "persistentvolumeclaims": {"spec": {"accessModes": ["ReadWriteOnce"], "resources": DISK}},
        "pods": {"spec": POD},
        "podtemplates": {"template": TEMPLATE},
        "replicationcontrollers": {"spec": {"selector": {"app": "x"}, "template": TEMPLATE}},
        "secrets": {"stringData": {"b": "1", "a": "2"}},
        "serviceaccounts": {},
        "services": {"spec": {"type": "NodePort", "ports": [{"port": 80, "targetPort": "web"}]}},
        "resourcequotas": {"spec": {"hard": {"pods": "10", "requests.cpu": "1500m"}}},  # what it counts is made before
    },
    "apis/apps/v1": {
        "controllerrevisions": {"revision": 1, "data": {"b": [1, 2], "a": None}},
        "daemonsets": {"spec": SELECTED},
        "deployments": {"spec": SELECTED},
        "replicasets": {"spec": SELECTED},
        "statefulsets": {"spec": {**SELECTED, "volumeClaimTemplates": [
            {"metadata": {"name": "d"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": DISK}}]}},
    },
    "apis/autoscaling/v2": {"horizontalpodautoscalers": {"spec": {
        "maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "x", "apiVersion": "apps/v1"}}}},
    "apis/batch/v1": {
        "cronjobs": {"spec": {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": JOB}}},
        "jobs": {"spec": JOB},
    },
    "apis/coordination.k8s.io/v1": {"leases": {"spec": {"renewTime": "2026-01-02T03:04:05.000006Z"}}},
    "apis/discovery.k8s.io/v1": {"endpointslices": {"addressType": "IPv4", "endpoints": [{"addresses": ["10.1.2.3"]}]}},
    "apis/networking.k8s.io/v1": {
        "ingresses": {"spec": {"defaultBackend": BACKEND}},
        "networkpolicies": {"spec": {"podSelector": {}, "ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]}},
    },
    "apis/policy/v1": {"poddisruptionbudgets": {"spec": {"maxUnavailable": "30%", "selector": {}}}},
    "apis/rbac.authorization.k8s.io/v1": {
        "roles": {"rules": ROLE},
        "rolebindings": {"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "x"},
                         "subjects": [{"kind": "User", "name": "u"}]},
    },
    "apis/resource.k8s.io/v1": {"resourceclaims": {"spec": REQUESTS},
                                "resourceclaimtemplates": {"spec": {"spec": REQUESTS}}},
    "apis/storage.k8s.io/v1": {"csistoragecapacities": {"storageClassName": "x", "capacity": "1500m"}},
}
HOOK = {"name": "a.example.com", "sideEffects": "None", "admissionReviewVersions": ["v1"],
        "clientConfig": {"service": {"name": "x", "namespace": "x"}}, "objectSelector": {"matchLabels": {"none": "x"}},
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}]}
OF_CLUSTER = {
    "apis/admissionregistration.k8s.io/v1": {
        "mutatingwebhookconfigurations": {"webhooks": [HOOK]},
        "validatingwebhookconfigurations": {"webhooks": [HOOK]},
    },
    "api/v1": {
        "nodes": {"spec": {"taints": [{"key": "k", "effect": "NoSchedule"}]}},
        "persistentvolumes": {"spec": {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"},
                                       "hostPath": {"path": "/x"}}},
    },
    "apis/networking.k8s.io/v1": {"ingressclasses": {"spec": {"controller": "example.com/c"}}},
    "apis/node.k8s.io/v1": {"runtimeclasses": {"handler": "runc", "overhead": {"podFixed": {"cpu": "10m"}}}},
    "apis/rbac.authorization.k8s.io/v1": {
        "clusterroles": {"rules": ROLE},
        "clusterrolebindings": {"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
                                            "name": "x"}},
    },
    "apis/resource.k8s.io/v1": {
        "deviceclasses": {"spec": {}},
        "resourceslices": {"spec": {"driver": "example.com", "allNodes": True, "devices": [{"name": "d"}], "pool": {
            "name": "x", "generation": 1, "resourceSliceCount": 1}}},
    },
    "apis/scheduling.k8s.io/v1": {"priorityclasses": {"value": 7}},
    "apis/storage.k8s.io/v1": {
        "csidrivers": {"spec": {}},
        "csinodes": {"spec": {"drivers": [{"name": "example.com", "nodeID": "x"}]}},
        "storageclasses": {"provisioner": "example.com/p", "parameters": {"b": "1", "a": "2"}},
        "volumeattachments": {"spec": {"attacher": "example.com", "nodeName": "x",
                                       "source": {"persistentVolumeName": "x"}}},
        "volumeattributesclasses": {"driverName": "example.com", "parameters": {"a": "1"}},
    },
}

# Where upstream's keys are not the resource's name.
KEYS = {"apiservices": "apiregistration.k8s.io/apiservices",
        "customresourcedefinitions": "apiextensions.k8s.io/customresourcedefinitions", "endpoints": "services/endpoints", "ingresses": "ingress", "nodes": "minions",
        "replicationcontrollers": "controllers", "services": "services/specs"}

STORED = {"apiextensions.k8s.io/v1": "apiextensions.k8s.io/v1beta1"}
OTHER_VERSIONS = ("events.k8s.io/v1", "autoscaling/v1")  # of objects that are stored in another


def signing_request():
    return subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                           "-nodes", "-keyout", "/dev/null", "-subj", "/CN=x"], check=True, capture_output=True).stdout


def definition():
    names = {"plural": "boats", "kind": "Boat"}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
    return {"metadata": {"name": "boats.example.io"},
            "spec": {"group": "example.io", "names": names, "scope": "Cluster", "versions": [version]}}


def make_all(api):
    api.post("/api/v1/namespaces", {"metadata": {"name": NAME}})
    api.post(f"/api/v1/namespaces/{NAME}/serviceaccounts", {"metadata": {"name": "default"}})
    for kinds, below in ((NAMESPACED, f"namespaces/{NAME}/"), (OF_CLUSTER, "")):
        for group, bodies in kinds.items():
            for plural, body in bodies.items():
                api.post(f"/{group}/{below}{plural}", {"metadata": {"name": NAME}, **body})
    api.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition())
    api.wait_one("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", "boats.example.io", lambda crd: any(
        c["type"] == "Established" for c in crd["status"].get("conditions") or []))
    api.post("/apis/certificates.k8s.io/v1/certificatesigningrequests", {"metadata": {"name": NAME}, "spec": {
        "request": base64.b64encode(signing_request()).decode(), "usages": ["client auth"],
        "signerName": "example.com/s"}})


def lists(api):
    """The path and the name of each resource that is listed, by group and version."""
    versions = {"api/v1": "v1"}
    for group in api.get("/apis")["groups"]:
        versions |= {f"apis/{one['groupVersion']}": one["groupVersion"] for one in group["versions"]}
    for path, version in versions.items():
        for resource in api.get(f"/{path}")["resources"]:
            if "list" in resource["verbs"] and "/" not in resource["name"]:
                yield f"/{path}/{resource['name']}", version, resource


def test_upstream_reads_every_value(api, stored):
    make_all(api)
    values, seen = stored(), set()
    for path, version, resource in lists(api):
        if version in OTHER_VERSIONS or version == "example.io/v1":
            continue
        items = api.get(path)["items"]
        for item in items:
            meta = item["metadata"]
            where = f"{meta['namespace']}/{meta['name']}" if resource["namespaced"] else meta["name"]
            key = f"/registry/{KEYS.get(resource['name'], resource['name'])}/{where}"
            assert values[key] == {"key": key, "apiVersion": STORED.get(version, version), "kind": resource["kind"],
                                   "namespace": meta.get("namespace", ""), "name": meta["name"], "uid": meta["uid"],
                                   "same": True}
            seen.add(key)
        assert items, f"nothing was made at {path}"
    assert set(values) == seen
