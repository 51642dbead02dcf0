"""Kinds whose objects upstream's conformance tests take through a life, each with what its test is called."""


class Kind:
    """`path` holds {ns} where objects live in a namespace; `change` is a merge patch, `status` one of the status."""

    def __init__(self, test, path, body, change=None, status=None):
        self.test, self.path, self.body, self.status = test, path, body, status
        self.change = change or {"metadata": {"labels": {"patched": "yes"}}}
        self.group_path, self.plural = path.split("/namespaces/{ns}")[0], path.rsplit("/", 1)[1]
        if "/namespaces/" not in path:
            self.group_path = path.rsplit("/", 1)[0]


TEMPLATE = {"metadata": {"labels": {"pod": "x"}}, "spec": {"containers": [{"name": "c", "image": "registry.test/c:1"}]}}
REFERENCE = {"kind": "Pod", "name": "p", "namespace": "{ns}"}
SERVICE = {"name": "web", "port": {"number": 80}}
RULE = {"host": "a.test", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {"service": SERVICE}}]}}
DEVICE = {"name": "gpu", "exactly": {"deviceClassName": "gpu"}}
WHEN = "2026-01-01T00:00:00.000001Z"

KINDS = [
    Kind("ConfigMap should run through a ConfigMap lifecycle", "/api/v1/namespaces/{ns}/configmaps",
         {"data": {"k": "v"}}, {"data": {"k": "patched"}}),
    Kind("Secrets should patch a secret", "/api/v1/namespaces/{ns}/secrets",
         {"data": {"k": "dmFsdWU="}}, {"data": {"k": "b3RoZXI="}}),
    Kind("ServiceAccounts should run through the lifecycle of a ServiceAccount",
         "/api/v1/namespaces/{ns}/serviceaccounts", {"automountServiceAccountToken": False},
         {"automountServiceAccountToken": True}),
    Kind("PodTemplates should run the lifecycle of PodTemplates", "/api/v1/namespaces/{ns}/podtemplates",
         {"template": TEMPLATE}, {"template": {"metadata": {"labels": {"pod": "y"}}}}),
    Kind("LimitRange should list, patch and delete a LimitRange by collection", "/api/v1/namespaces/{ns}/limitranges",
         {"spec": {"limits": [{"type": "Container", "max": {"cpu": "2"}}]}},
         {"spec": {"limits": [{"type": "Container", "max": {"cpu": "3"}}]}}),
    Kind("Endpoints should test the lifecycle of an Endpoint", "/api/v1/namespaces/{ns}/endpoints",
         {"subsets": [{"addresses": [{"ip": "10.0.0.24"}], "ports": [{"name": "http", "port": 80}]}]},
         {"subsets": [{"addresses": [{"ip": "10.0.0.25"}], "ports": [{"name": "http", "port": 8080}]}]}),
    Kind("Events should manage the lifecycle of an event", "/api/v1/namespaces/{ns}/events",
         {"involvedObject": REFERENCE, "reason": "Testing", "message": "before", "type": "Normal"},
         {"message": "after"}),
    Kind("Events API should ensure that an event can be fetched, patched, deleted, and listed",
         "/apis/events.k8s.io/v1/namespaces/{ns}/events",
         {"regarding": REFERENCE, "reason": "Testing", "note": "before", "type": "Normal", "eventTime": WHEN,
          "reportingController": "test", "reportingInstance": "test-1", "action": "Do"},
         {"series": {"count": 2, "lastObservedTime": WHEN}}),
    Kind("Lease lease API should be available", "/apis/coordination.k8s.io/v1/namespaces/{ns}/leases",
         {"spec": {"holderIdentity": "a", "leaseDurationSeconds": 30, "acquireTime": WHEN, "leaseTransitions": 0}},
         {"spec": {"holderIdentity": "b", "leaseTransitions": 1}}),
    Kind("EndpointSlice should support creating EndpointSlice API operations",
         "/apis/discovery.k8s.io/v1/namespaces/{ns}/endpointslices",
         {"addressType": "IPv4", "endpoints": [{"addresses": ["1.2.3.4", "5.6.7.8"]}]},
         {"endpoints": [{"addresses": ["9.9.9.9"]}]}),
    Kind("Ingress API should support creating Ingress API operations",
         "/apis/networking.k8s.io/v1/namespaces/{ns}/ingresses", {"spec": {"rules": [RULE]}},
         {"spec": {"rules": [{**RULE, "host": "b.test"}]}},
         {"loadBalancer": {"ingress": [{"ip": "169.1.1.1"}]}}),
    Kind("CronJob should support CronJob API operations", "/apis/batch/v1/namespaces/{ns}/cronjobs",
         {"spec": {"schedule": "0 0 1 1 *", "suspend": True, "jobTemplate": {"spec": {"template": {
             "spec": {"containers": TEMPLATE["spec"]["containers"], "restartPolicy": "OnFailure"}}}}}},
         {"spec": {"schedule": "0 0 2 1 *"}}, {"lastScheduleTime": "2026-01-01T00:00:00Z"}),
    Kind("DisruptionController should update/patch PodDisruptionBudget status",
         "/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets",
         {"spec": {"minAvailable": 1, "selector": {"matchLabels": {"none": "such"}}}}, {"spec": {"minAvailable": "50%"}},
         {"disruptedPods": {"gone": "2026-01-01T00:00:00Z"}}),
    Kind("ServiceCIDR and IPAddress API should support IPAddress API operations",
         "/apis/networking.k8s.io/v1/ipaddresses",
         {"metadata": {"name": "fe80::42:1dff:fe84:f9e2"}, "spec": {"parentRef": {
             "resource": "services", "name": "x", "namespace": "default"}}}),
    Kind("IngressClass API should support creating IngressClass API operations",
         "/apis/networking.k8s.io/v1/ingressclasses", {"spec": {"controller": "test.example/x"}}),
    Kind("RuntimeClass should support RuntimeClasses API operations", "/apis/node.k8s.io/v1/runtimeclasses",
         {"handler": "h"}),
    Kind("SchedulerPreemption [Serial] PriorityClass endpoints verify PriorityClass endpoints can be operated with "
         "different HTTP methods", "/apis/scheduling.k8s.io/v1/priorityclasses", {"value": 7}),
    Kind("StorageClasses CSI Conformance should run through the lifecycle of a StorageClass",
         "/apis/storage.k8s.io/v1/storageclasses", {"provisioner": "test.example/p"}),
    Kind("Certificates API [Privileged:ClusterAdmin] should support CSR API operations",
         "/apis/certificates.k8s.io/v1/certificatesigningrequests",
         {"spec": {"signerName": "test.example/signer", "usages": ["client auth"], "expirationSeconds": 3600}},
         status={"conditions": [{"type": "Failed", "status": "True", "reason": "Test"}]}),
    Kind("[DRA] CRUD Tests resource.k8s.io/v1 DeviceClass", "/apis/resource.k8s.io/v1/deviceclasses", {"spec": {}}),
    Kind("[DRA] CRUD Tests resource.k8s.io/v1 ResourceClaim", "/apis/resource.k8s.io/v1/namespaces/{ns}/resourceclaims",
         {"spec": {"devices": {"requests": [DEVICE]}}}, status={"allocation": {"devices": {"results": [
             {"request": "gpu", "driver": "test.example", "pool": "p", "device": "d"}]}}}),
    Kind("[DRA] CRUD Tests resource.k8s.io/v1 ResourceClaimTemplate",
         "/apis/resource.k8s.io/v1/namespaces/{ns}/resourceclaimtemplates",
         {"spec": {"spec": {"devices": {"requests": [DEVICE]}}}}),
    Kind("[DRA] CRUD Tests resource.k8s.io/v1 ResourceSlice", "/apis/resource.k8s.io/v1/resourceslices",
         {"spec": {"driver": "test.example", "nodeName": "n", "pool": {"name": "p", "resourceSliceCount": 1},
                   "devices": [{"name": "d"}]}}),
    Kind("CSIInlineVolumes should run through the lifecycle of a CSIDriver", "/apis/storage.k8s.io/v1/csidrivers",
         {"spec": {"attachRequired": False}}),
    Kind("CSINodes CSI Conformance should run through the lifecycle of a csinode", "/apis/storage.k8s.io/v1/csinodes",
         {"spec": {"drivers": [{"name": "test.example", "nodeID": "n"}]}}),
    Kind("CSIStorageCapacity should support CSIStorageCapacities API operations",
         "/apis/storage.k8s.io/v1/namespaces/{ns}/csistoragecapacities",
         {"storageClassName": "fast", "capacity": "1Gi"}, {"capacity": "2Gi"}),
    Kind("VolumeAttachment Conformance should apply changes to a volumeattachment status",
         "/apis/storage.k8s.io/v1/volumeattachments",
         {"spec": {"attacher": "test.example", "nodeName": "n", "source": {"persistentVolumeName": "v"}}},
         status={"attached": True}),
]
