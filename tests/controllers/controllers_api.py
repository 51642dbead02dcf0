"""etcd, kube-apiserver and kube-controller-manager as processes, a client that waits by watching, and what
plays kubelet for the pods of the tests."""
import base64
import http.client
import itertools
import json
import re
import ssl
import sys
import threading
import time
from pathlib import Path


ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "services/tools"))

from control_plane import ControlPlane  # noqa: E402

WITHIN_S = 60
NODES = ("node-a", "node-b")
NAMESPACES = itertools.count()
READY = {"type": "Ready", "status": "True", "reason": "KubeletReady"}


class Refused(Exception):
    def __init__(self, code, body):
        super().__init__(f"{code}: {body.get('message')}")
        self.code, self.body = code, body


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


class Api:
    """Requests as the cluster's administrator; a connection a request, so that any thread may."""

    def __init__(self, plane):
        config = plane.kubeconfig.read_text()
        self.host, self.port = re.search(r"server: https://([^:]+):(\d+)", config).groups()
        files = {}
        for name in ("certificate-authority-data", "client-certificate-data", "client-key-data"):
            files[name] = plane.folder / f"test-{name}.pem"
            files[name].write_bytes(base64.b64decode(re.search(rf"{name}: (\S+)", config).group(1)))
        self.context = ssl.create_default_context(cafile=files["certificate-authority-data"])
        self.context.load_cert_chain(files["client-certificate-data"], files["client-key-data"])

    def open(self, method, path, body=None, media="application/json", timeout=2 * WITHIN_S):
        connection = http.client.HTTPSConnection(self.host, int(self.port), context=self.context, timeout=timeout)
        connection.request(method, path, json.dumps(body) if body is not None else None,
                           {"Content-Type": media, "Accept": "application/json"})
        answer = connection.getresponse()
        if answer.status >= 300:
            text = answer.read()
            connection.close()
            raise Refused(answer.status, json.loads(text) if text.startswith(b"{") else {"message": text.decode()})
        return connection, answer

    def call(self, method, path, body=None, media="application/json"):
        connection, answer = self.open(method, path, body, media)
        try:
            return json.loads(answer.read())
        finally:
            connection.close()

    def get(self, path):
        return self.call("GET", path)

    def create(self, path, body):
        return self.call("POST", path, body)

    def patch(self, path, body, media="application/merge-patch+json"):
        return self.call("PATCH", path, body, media)

    def delete(self, path, policy=None, grace=None):
        options = {"kind": "DeleteOptions", "apiVersion": "v1"}
        if policy:
            options["propagationPolicy"] = policy
        if grace is not None:
            options["gracePeriodSeconds"] = grace
        return self.call("DELETE", path, options)

    def events(self, path, version):
        """The events of a watch after `version`, until the server ends it."""
        connection, answer = self.open("GET", f"{path}{'&' if '?' in path else '?'}watch=true&resourceVersion={version}")
        try:
            while line := answer.readline():
                yield json.loads(line)
        finally:
            connection.close()

    def until(self, path, holds, within_s=WITHIN_S):
        """Watches a collection until `holds`, given its objects by name, is true; returns them."""
        listed = self.get(path)
        objects = {item["metadata"]["name"]: item for item in listed["items"]}
        if holds(objects):
            return objects
        for event in self.events(f"{path}{'&' if '?' in path else '?'}timeoutSeconds={within_s}",
                                 listed["metadata"]["resourceVersion"]):
            name = event["object"]["metadata"].get("name")
            if event["type"] == "DELETED":
                objects.pop(name, None)
            elif event["type"] in ("ADDED", "MODIFIED"):
                objects[name] = event["object"]
            if holds(objects):
                return objects
        raise AssertionError(f"{path} did not come to hold within {within_s} s: {json.dumps(objects)[:4000]}")


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
                for event in self.api.events("/api/v1/pods?timeoutSeconds=60", listed["metadata"]["resourceVersion"]):
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
                    "phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}],
                    "conditions": [{**READY, "lastTransitionTime": now()}]}})
        except Refused as refused:
            if refused.code not in (403, 404, 409):  # the pod or its namespace is going
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
