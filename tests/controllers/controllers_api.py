"""A client with this folder's habits, and what plays kubelet and scheduler for the pods of the tests."""
import http.client
import itertools
import threading
import time

from client import Client, Refused

WITHIN_S = 60
NODES = ("node-a", "node-b")
NAMESPACES = itertools.count()
READY = {"type": "Ready", "status": "True", "reason": "KubeletReady"}


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


class Api(Client):
    def create(self, path, body):
        return self.post(path, body)

    def delete(self, path, policy=None, grace=None):
        options = {"propagationPolicy": policy, "gracePeriodSeconds": grace}
        return super().delete(path, {key: value for key, value in options.items() if value is not None})

    def events(self, path, version):
        """The events of a watch of a minute after `version`."""
        watch = self.watch(path, f"timeoutSeconds={WITHIN_S}&resourceVersion={version}")
        watch.response.socket.settimeout(2 * WITHIN_S)
        try:
            while event := watch.next():
                yield event
        finally:
            watch.close()

    def until(self, path, holds):
        """Watches a collection until `holds`, given its objects by name, is true; returns them."""
        return self.wait(path, lambda objects: holds(objects) and (objects,), within_s=WITHIN_S)[0]


class Kubelets(threading.Thread):
    """Binds pods to nodes, lets them run and be ready, and ends them when they are deleted. Pods with the label
    kubelet=off are left alone, those with kubelet=pending are bound but never run."""

    def __init__(self, api):
        super().__init__(daemon=True)
        self.api, self.count, self.stopping = api, 0, False
        self.started = set()

    def run(self):
        while not self.stopping:
            try:
                listed = self.api.get("/api/v1/pods")
                for pod in listed["items"]:
                    self.look(pod)
                for event in self.api.events("/api/v1/pods", listed["metadata"]["resourceVersion"]):
                    if event["type"] in ("ADDED", "MODIFIED"):
                        self.look(event["object"])
            except (OSError, http.client.HTTPException):
                if not self.stopping:
                    raise

    def look(self, pod):
        meta, label = pod["metadata"], pod["metadata"].get("labels", {}).get("kubelet")
        path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}"
        try:
            if label == "off":
                return
            if "deletionTimestamp" in meta:
                if not meta.get("finalizers"):
                    self.api.delete(path, grace=0)
                return
            if not pod["spec"].get("nodeName"):
                self.api.create(f"{path}/binding", {"apiVersion": "v1", "kind": "Binding",
                                                    "metadata": {"name": meta["name"]},
                                                    "target": {"kind": "Node", "name": self.node_for(pod)}})
            if label != "pending" and meta["uid"] not in self.started:
                self.started.add(meta["uid"])
                self.count += 1
                ip = f"10.1.{self.count // 250}.{self.count % 250 + 1}"
                self.api.patch(f"{path}/status", {"status": {
                    "phase": "Running", "startTime": now(), "podIP": ip, "podIPs": [{"ip": ip}],
                    "conditions": [{**READY, "lastTransitionTime": now()}]}})
        except Refused as refused:
            if refused.status not in (403, 404, 409):  # the pod or its namespace is going
                raise

    def node_for(self, pod):
        required = pod["spec"].get("affinity", {}).get("nodeAffinity", {}).get(
            "requiredDuringSchedulingIgnoredDuringExecution", {})
        for term in required.get("nodeSelectorTerms", []):
            for field in term.get("matchFields", []):
                return field["values"][0]
        return NODES[0]


def make_node(api, name, **spec):
    api.create("/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": spec})
    api.patch(f"/api/v1/nodes/{name}/status", {"status": {"conditions": [
        {**READY, "lastHeartbeatTime": now(), "lastTransitionTime": now()}]}})


def core(ns, plural, name=""):
    return f"/api/v1/namespaces/{ns}/{plural}" + (f"/{name}" if name else "")


def apps(ns, plural, name=""):
    return f"/apis/apps/v1/namespaces/{ns}/{plural}" + (f"/{name}" if name else "")


def batch(ns, plural, name=""):
    return f"/apis/batch/v1/namespaces/{ns}/{plural}" + (f"/{name}" if name else "")


def template(app, image="one", **labels):
    return {"metadata": {"labels": {"app": app, **labels}}, "spec": {"containers": [{"name": "c", "image": image}]}}


def workload(kind, name, replicas=None, image="one", labels=None, **spec):
    """A kind of apps/v1 with a selector by its name."""
    if replicas is not None:
        spec["replicas"] = replicas
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name},
            "spec": {"selector": {"matchLabels": {"app": name}}, "template": template(name, image, **(labels or {})),
                     **spec}}


def owned(objects, uid):
    return [item for item in objects.values()
            if any(ref["uid"] == uid for ref in item["metadata"].get("ownerReferences", []))]


def is_ready(pod):
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", []))
