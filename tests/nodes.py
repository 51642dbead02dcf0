"""Nodes without a kubelet: Ready Node objects with a lease that is renewed, and pods that only say they run."""
import datetime
import threading

HEARTBEAT_S = 1
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
ROOM = {"cpu": "8", "memory": "16Gi", "ephemeral-storage": "100Gi", "pods": "110"}


def now(micro=False):
    moment = datetime.datetime.now(datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ" if micro else "%Y-%m-%dT%H:%M:%SZ")


def condition(kind, status, reason):
    return {"type": kind, "status": status, "reason": reason, "lastHeartbeatTime": now(), "lastTransitionTime": now()}


class FakeNode:
    """One Node. `start` makes it Ready; `vanish` is a power cut: the objects stay, nobody renews the lease. It may be
    started again."""

    def __init__(self, api, name, address="10.0.0.1", labels=None, room=None):
        self.api, self.name, self.address = api, name, address
        self.labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
                       **(labels or {})}
        self.room, self.started = {**ROOM, **(room or {})}, 0

    def start(self):
        self.tell("POST", "/api/v1/nodes", {"metadata": {"name": self.name, "labels": self.labels}})
        self.tell("POST", LEASES, {"metadata": {"name": self.name}, "spec": {
            "holderIdentity": self.name, "leaseDurationSeconds": 40, "renewTime": now(micro=True)}})
        self.api.patch(f"/api/v1/nodes/{self.name}/status", {"status": {
            "capacity": self.room, "allocatable": self.room,
            "conditions": [condition("Ready", "True", "KubeletReady"),
                           condition("MemoryPressure", "False", "KubeletHasSufficientMemory"),
                           condition("DiskPressure", "False", "KubeletHasNoDiskPressure"),
                           condition("PIDPressure", "False", "KubeletHasSufficientPID")],
            "addresses": [{"type": "InternalIP", "address": self.address}, {"type": "Hostname", "address": self.name}],
            "nodeInfo": {"machineID": "", "systemUUID": "", "bootID": "", "kernelVersion": "6.12", "osImage": "none",
                         "containerRuntimeVersion": "none://0", "kubeletVersion": "v1.36.2", "kubeProxyVersion": "",
                         "operatingSystem": "linux", "architecture": "amd64"}}})
        self.watch = self.api.watch("/api/v1/pods", f"fieldSelector=spec.nodeName%3D{self.name}")
        self.watch.response.socket.settimeout(None)
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.renew), threading.Thread(target=self.run_pods)]
        for thread in self.threads:
            thread.start()

    def vanish(self):
        self.over.set()
        self.watch.end()
        for thread in self.threads:
            thread.join()
        self.watch.close()

    def renew(self):
        while not self.over.wait(HEARTBEAT_S):
            self.api.patch(f"{LEASES}/{self.name}", {"spec": {"renewTime": now(micro=True)}})

    def run_pods(self):
        while (event := self.watch.next()) and not self.over.is_set():
            pod = event["object"]
            if event["type"] in ("ADDED", "MODIFIED"):
                self.sync(pod)

    def sync(self, pod):
        path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"
        own = {"preconditions": {"uid": pod["metadata"]["uid"]}}
        if "deletionTimestamp" in pod["metadata"]:
            self.tell("DELETE", path, {**own, "gracePeriodSeconds": 0})
        elif pod["status"]["phase"] == "Pending":
            self.started += 1
            self.tell("PATCH", f"{path}/status", {"metadata": {"uid": pod["metadata"]["uid"]},
                                                  "status": self.status(pod)})

    def tell(self, method, path, body):
        """What has gone meanwhile, or was there before, is nothing to complain of."""
        answer = self.api.ask(method, path, body, Content_Type="application/merge-patch+json"
                              if method == "PATCH" else "application/json")
        assert answer.status in (200, 201, 404, 409), answer.data

    def status(self, pod):
        kinds = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
        kept = [one for one in pod["status"].get("conditions", ()) if one["type"] not in kinds]
        ip = f"10.244.{self.address.rsplit('.', 1)[1]}.{self.started}"
        return {"phase": "Running", "startTime": now(), "hostIP": self.address, "hostIPs": [{"ip": self.address}],
                "podIP": ip, "podIPs": [{"ip": ip}],
                "conditions": kept + [{"type": kind, "status": "True", "lastTransitionTime": now()} for kind in kinds],
                "containerStatuses": [{
                    "name": one["name"], "image": one["image"], "imageID": one["image"], "ready": True, "started": True,
                    "restartCount": 0, "containerID": f"none://{pod['metadata']['uid']}",
                    "state": {"running": {"startedAt": now()}}} for one in pod["spec"]["containers"]]}
