"""A5: aggregated API servers, after apimachinery/aggregator.go ("Sample API Server"); the server is the test's own."""
import base64
import json
import socket
import ssl
import subprocess
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from client import Client, Refused
from cluster import API, running

SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"


def own_address():
    """Of this machine, as it would send to others; endpoints may not be loopback addresses."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return probe.getsockname()[0]


class Server:
    """Serves flunders of one group over TLS with the name of its Service; keeps what it heard."""

    def __init__(self, pki, folder, group, ns, name):
        server, self.group = self, group
        self.heard, self.code, self.events, self.address = [], 200, threading.Event(), own_address()
        root = f"/apis/{group}/v1"

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def send(self, code, body, kind="application/json"):
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(code)
                self.send_header("Content-Type", kind)
                self.send_header("X-Backend", "yes")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def chunk(self, data):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

            def watch(self):
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for name in ("a", "b"):
                    event = {"type": "ADDED", "object": {"kind": "Flunder", "metadata": {"name": name}}}
                    self.chunk(json.dumps(event).encode() + b"\n")
                    server.events.wait(30)
                self.chunk(b"")

            def do_GET(self):
                server.heard.append(self)
                if self.path == root:
                    self.send(server.code, server.resources())
                elif "watch=1" in self.path:
                    self.watch()
                elif self.path.endswith("/flunders"):
                    self.send(200, {"kind": "FlunderList", "apiVersion": f"{group}/v1", "metadata": {}, "items": []})
                elif self.path.endswith("/big"):
                    self.send(200, b"x" * (8 << 20), "text/plain")
                elif self.path.startswith("/openapi/v3/"):
                    self.send(200, {"openapi": "3.0.0", "paths": {}})
                else:
                    self.send(404, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404})

            def do_POST(self):
                self.body = self.rfile.read(int(self.headers["Content-Length"]))
                server.heard.append(self)
                self.send(201, self.body)

            def log_message(self, *args):
                pass

        key, request, cert = folder / "key", folder / "csr", folder / "crt"
        subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", key, "-out", request, "-subj", f"/CN={name}", "-addext",
                        f"subjectAltName=DNS:{name}.{ns}.svc"], check=True, capture_output=True)
        subprocess.run(["openssl", "x509", "-req", "-in", request, "-CA", pki / "ca.crt", "-CAkey", pki / "ca.key",
                        "-CAcreateserial", "-CAserial", folder / "serial", "-copy_extensions", "copy", "-days", "1",
                        "-out", cert], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        context.load_verify_locations(pki / "front-proxy-ca.crt")
        context.verify_mode = ssl.CERT_REQUIRED
        self.http = ThreadingHTTPServer((self.address, 0), Handler)
        self.http.daemon_threads = True
        self.http.socket = context.wrap_socket(self.http.socket, server_side=True)
        self.http.handle_error = lambda *who: None  # a client that leaves
        self.port = self.http.server_address[1]
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def resources(self):
        return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": f"{self.group}/v1", "resources": [
            {"name": "flunders", "singularName": "flunder", "namespaced": True, "kind": "Flunder",
             "verbs": ["create", "get", "list", "watch"], "shortNames": ["fl"]},
            {"name": "flunders/status", "singularName": "", "namespaced": True, "kind": "Flunder",
             "verbs": ["get", "update"]}]}

    def close(self):
        self.events.set()
        self.http.shutdown()
        self.http.server_close()


@pytest.fixture(scope="module")
def plane(tmp_path_factory):
    with running(tmp_path_factory.mktemp("aggregation") / "cp", API,
                 {"kube-apiserver": ["--enable-aggregator-routing=true"]}) as plane:
        yield plane


@pytest.fixture(scope="module")
def api(plane):
    return Client(plane.kubeconfig)


@pytest.fixture
def ns(api):
    name = f"agg-{uuid.uuid4().hex[:8]}"
    api.post("/api/v1/namespaces", {"metadata": {"name": name}})
    return name


@pytest.fixture
def backend(plane, ns, tmp_path):
    server = Server(plane.pki, tmp_path, f"{ns}.example.com", ns, "sample-api")
    server.ca = base64.b64encode((plane.pki / "ca.crt").read_bytes()).decode()
    server.ns, server.service = ns, f"v1.{server.group}"
    yield server
    server.close()


def available(status, reason):
    def holds(one):
        return any(c["type"] == "Available" and (c["status"], c["reason"]) == (status, reason)
                   for c in one.get("status", {}).get("conditions", []))
    return holds


def add_api_service(api, server, **spec):
    return api.post(SERVICES, {"metadata": {"name": server.service}, "spec": {
        "group": server.group, "version": "v1", "groupPriorityMinimum": 2000, "versionPriority": 200,
        "caBundle": server.ca, "service": {"namespace": server.ns, "name": "sample-api", "port": 7443}, **spec}})


def add_service(api, server):
    api.post(f"/api/v1/namespaces/{server.ns}/services", {"metadata": {"name": "sample-api"}, "spec": {
        "ports": [{"name": "https", "port": 7443, "protocol": "TCP"}]}})


def add_slice(api, server, ready=True):
    api.post(f"/apis/discovery.k8s.io/v1/namespaces/{server.ns}/endpointslices", {
        "metadata": {"name": "sample-api", "labels": {"kubernetes.io/service-name": "sample-api"}},
        "addressType": "IPv4", "ports": [{"name": "https", "port": server.port, "protocol": "TCP"}],
        "endpoints": [{"addresses": [server.address], "conditions": {"ready": ready}}]})


@pytest.fixture
def sample(api, backend):
    add_service(api, backend)
    add_slice(api, backend)
    add_api_service(api, backend)
    api.wait_one(SERVICES, backend.service, available("True", "Passed"))
    backend.root = f"/apis/{backend.group}/v1"
    yield backend
    api.ask("DELETE", f"{SERVICES}/{backend.service}")


def test_group_versions_register_themselves(api):
    objects = {one["metadata"]["name"]: one for one in api.get(SERVICES)["items"]}
    apps = objects["v1.apps"]
    assert (apps["spec"]["groupPriorityMinimum"], apps["spec"]["versionPriority"]) == (17800, 15)
    assert apps["metadata"]["labels"] == {"kube-aggregator.kubernetes.io/automanaged": "onstart"}
    assert available("True", "Local")(apps) and "v1." in objects
    assert "v1.apiregistration.k8s.io" not in objects
    groups = [group["name"] for group in api.get("/apis")["groups"]]
    assert groups[:4] == ["apiregistration.k8s.io", "apps", "events.k8s.io", "authentication.k8s.io"]


def test_custom_resources_register_themselves(api, ns):
    group, crds = f"{ns}.example.org", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    api.post(crds, {"metadata": {"name": f"boats.{group}"}, "spec": {
        "group": group, "scope": "Namespaced", "names": {"plural": "boats", "kind": "Boat"},
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": {
            "openAPIV3Schema": {"type": "object"}}}]}})
    made = api.wait_one(SERVICES, f"v1.{group}", available("True", "Local"))
    assert made["metadata"]["labels"] == {"kube-aggregator.kubernetes.io/automanaged": "true"}
    assert (made["spec"]["groupPriorityMinimum"], made["spec"]["versionPriority"]) == (1000, 100)
    uid = made["metadata"]["uid"]
    api.delete(f"{SERVICES}/v1.{group}")
    api.wait_one(SERVICES, f"v1.{group}", lambda one: one["metadata"]["uid"] != uid)
    api.delete(f"{crds}/boats.{group}")
    api.wait_gone(SERVICES, f"v1.{group}")


def test_validation(api):
    with pytest.raises(Refused) as answer:
        api.post(SERVICES, {"metadata": {"name": "x"}, "spec": {"group": "a.b", "version": "v1", "caBundle": "eA=="}})
    message = answer.value.body["message"]
    assert answer.value.status == 422
    for part in ('metadata.name: Invalid value: "x": must be `spec.version+"."+spec.group`: "v1.a.b"',
                 "spec.groupPriorityMinimum: Invalid value: 0: must be positive and less than 20000",
                 "spec.versionPriority: Invalid value: 0: must be positive and less than 1000",
                 'spec.caBundle: Invalid value: "1 bytes": local APIServices may not have a caBundle'):
        assert part in message


def test_conditions_follow_service_and_endpoints(api, backend):
    add_api_service(api, backend)
    api.wait_one(SERVICES, backend.service, available("False", "ServiceNotFound"))
    refused = api.ask("GET", f"/apis/{backend.group}/v1/namespaces/{backend.ns}/flunders")
    assert (refused.status, refused.data) == (503, b"service unavailable\n")
    add_service(api, backend)
    api.wait_one(SERVICES, backend.service, available("False", "EndpointsNotFound"))
    add_slice(api, backend, ready=False)
    api.wait_one(SERVICES, backend.service, available("False", "MissingEndpoints"))
    backend.code = 500
    slices = f"/apis/discovery.k8s.io/v1/namespaces/{backend.ns}/endpointslices/sample-api"
    api.patch(slices, {"endpoints": [{"addresses": [backend.address], "conditions": {"ready": True}}]})
    failed = api.wait_one(SERVICES, backend.service, available("False", "FailedDiscoveryCheck"))
    assert "bad status from" in failed["status"]["conditions"][0]["message"]
    backend.code = 200
    api.wait_one(SERVICES, backend.service, available("True", "Passed"))
    api.patch(f"{SERVICES}/{backend.service}", {"spec": {"service": {"port": 1}}})
    api.wait_one(SERVICES, backend.service, available("False", "ServicePortError"))
    api.delete(f"{SERVICES}/{backend.service}")


def test_should_be_able_to_support_the_sample_api_server(api, sample):
    path = f"{sample.root}/namespaces/{sample.ns}/flunders"
    listed = api.ask("GET", path, X_Remote_User="somebody", X_Remote_Extra_A="b", Accept="application/json")
    assert listed.status == 200 and listed.json["kind"] == "FlunderList" and listed.headers["X-Backend"] == "yes"
    heard = sample.heard[-1].headers
    assert heard.get_all("X-Remote-User") == ["kubernetes-super-admin"] and "X-Remote-Extra-A" not in heard
    assert "system:authenticated" in heard.get_all("X-Remote-Group")
    assert heard["Audit-Id"] == listed.headers["Audit-Id"] and "Authorization" not in heard
    made = api.ask("POST", path, {"kind": "Flunder", "metadata": {"name": "f"}}, Content_Type="application/json")
    assert (made.status, made.json["metadata"]["name"]) == (201, "f")
    assert api.ask("GET", f"{sample.root}/nothing").status == 404
    assert len(api.ask("GET", f"{sample.root}/big").data) == 8 << 20
    assert api.ask("GET", path, Connection="Upgrade", Upgrade="websocket").status == 501


def test_a_watch_streams(api, sample):
    path = f"{sample.root}/namespaces/{sample.ns}/flunders"
    watch = api.watch(path)
    assert watch.next()["object"]["metadata"]["name"] == "a"
    # Another request goes its way meanwhile.
    assert api.get(path)["items"] == []
    sample.events.set()
    assert watch.next()["object"]["metadata"]["name"] == "b"
    assert watch.next() is None
    watch.close()


def test_discovery_goes_stale_and_comes_back(api, sample):
    def version():
        groups = api.get("/apis", Accept=AGGREGATED)["items"]
        return next((g["versions"][0] for g in groups if g["metadata"]["name"] == sample.group), None)

    groups = {group["name"]: group for group in api.get("/apis")["groups"]}
    assert groups[sample.group]["preferredVersion"] == {"groupVersion": f"{sample.group}/v1", "version": "v1"}
    assert api.get(f"/apis/{sample.group}")["kind"] == "APIGroup"
    assert api.get(sample.root)["resources"][0]["name"] == "flunders"
    now = version()
    assert now["freshness"] == "Current"
    assert now["resources"] == [{
        "resource": "flunders", "responseKind": {"group": sample.group, "version": "v1", "kind": "Flunder"},
        "scope": "Namespaced", "singularResource": "flunder", "verbs": ["create", "get", "list", "watch"],
        "shortNames": ["fl"], "subresources": [{
            "subresource": "status", "responseKind": {"group": sample.group, "version": "v1", "kind": "Flunder"},
            "verbs": ["get", "update"]}]}]
    index = api.get("/openapi/v3")["paths"]
    assert api.get(index[f"apis/{sample.group}/v1"]["serverRelativeURL"])["openapi"] == "3.0.0"
    sample.code = 503
    # Any change of the APIService checks it.
    api.patch(f"{SERVICES}/{sample.service}", {"metadata": {"labels": {"look": "again"}}})
    api.wait_one(SERVICES, sample.service, available("False", "FailedDiscoveryCheck"))
    assert version() == {**now, "freshness": "Stale"}
    sample.code = 200
    api.wait_one(SERVICES, sample.service, available("True", "Passed"))
    assert version() == now


def test_deletion_takes_the_group_away(api, sample):
    api.delete(f"{SERVICES}/{sample.service}")
    api.wait_gone(SERVICES, sample.service)
    assert sample.service not in {one["metadata"]["name"] for one in api.get(SERVICES)["items"]}


def test_rows(api, sample):
    table = api.get(f"{SERVICES}/{sample.service}", Accept="application/json;as=Table;v=v1;g=meta.k8s.io")
    assert table["rows"][0]["cells"][:3] == [sample.service, f"{sample.ns}/sample-api", "True"]
