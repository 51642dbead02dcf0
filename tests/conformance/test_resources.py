"""Lives of objects, after upstream's conformance tests of the same names."""
import base64
import copy
import subprocess
import uuid

import pytest
from client import Client, Refused
from kinds import KINDS


@pytest.fixture(scope="module")
def api(plane):
    """Nobody else writes here: a controller between two requests would make them conflict."""
    return Client(plane.kubeconfig)


@pytest.fixture
def namespace(api):
    name = f"t-{uuid.uuid4().hex[:10]}"
    api.post("/api/v1/namespaces", {"metadata": {"name": name}})
    return name


@pytest.fixture(scope="module")
def request_pem(tmp_path_factory):
    """What a CertificateSigningRequest carries."""
    folder = tmp_path_factory.mktemp("csr")
    subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", folder / "key", "-out", folder / "csr", "-subj", "/CN=x"], check=True,
                   stderr=subprocess.DEVNULL)
    return base64.b64encode((folder / "csr").read_bytes()).decode()


def fill(value, namespace):
    """The body, with the namespace where it says {ns}."""
    if isinstance(value, dict):
        return {key: fill(one, namespace) for key, one in value.items()}
    if isinstance(value, list):
        return [fill(one, namespace) for one in value]
    return namespace if value == "{ns}" else value


def holds(have, want):
    """Everything that a merge patch says is there."""
    if isinstance(want, dict):
        return isinstance(have, dict) and all(holds(have.get(key), one) for key, one in want.items())
    if isinstance(want, list):
        return len(have) == len(want) and all(map(holds, have, want))
    return have == want


def make(kind, namespace, request_pem, name):
    body = copy.deepcopy(fill(kind.body, namespace))
    mark = {"test": uuid.uuid4().hex[:12]}
    body["metadata"] = {"name": name, **body.get("metadata", {}), "labels": mark}
    if kind.plural == "certificatesigningrequests":
        body["spec"]["request"] = request_pem
    return body, f"labelSelector=test%3D{mark['test']}"


@pytest.mark.parametrize("kind", KINDS, ids=[kind.test for kind in KINDS])
def test_life(api, namespace, request_pem, kind):
    listed = {one["name"]: one for one in api.get(kind.group_path)["resources"]}
    assert {"create", "get", "list", "watch", "patch", "update", "delete", "deletecollection"} <= set(
        listed[kind.plural]["verbs"])

    path = kind.path.format(ns=namespace)
    everywhere = kind.group_path + "/" + kind.plural
    body, selector = make(kind, namespace, request_pem, f"life-{namespace}")
    empty = api.get(f"{everywhere}?{selector}")
    assert empty["items"] == []
    watch = api.watch(everywhere, f"{selector}&resourceVersion={empty['metadata']['resourceVersion']}")

    made = api.post(path, body)
    one = f"{path}/{made['metadata']['name']}"
    assert holds(made, {key: value for key, value in fill(kind.body, namespace).items() if key != "metadata"})
    assert api.get(one) == made
    for place in {path, everywhere}:
        found = api.get(f"{place}?{selector}")["items"]
        assert [item["metadata"]["uid"] for item in found] == [made["metadata"]["uid"]]

    patched = api.patch(one, kind.change)
    assert holds(patched, kind.change) and patched["metadata"]["resourceVersion"] != made["metadata"]["resourceVersion"]
    latest = api.get(one)
    latest["metadata"].setdefault("annotations", {})["updated"] = "yes"
    updated = api.put(one, latest)
    assert updated["metadata"]["annotations"]["updated"] == "yes" and holds(updated, kind.change)
    if kind.status:
        assert holds(api.patch(f"{one}/status", {"status": kind.status})["status"], kind.status)
        assert api.get(f"{one}/status")["metadata"]["uid"] == made["metadata"]["uid"]

    api.delete(one)
    with pytest.raises(Refused) as gone:
        api.get(one)
    assert gone.value.status == 404
    types = [event["type"] for event in watch.until("DELETED")]
    assert types[0] == "ADDED" and types[-1] == "DELETED" and set(types[1:-1]) == {"MODIFIED"}
    watch.close()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "name" not in kind.body.get("metadata", {})],
                         ids=lambda kind: f"{kind.plural}: delete a collection")
def test_collection(api, namespace, request_pem, kind):
    path = kind.path.format(ns=namespace)
    mark = f"set-{namespace}"
    for number in range(3):
        body, _ = make(kind, namespace, request_pem, f"{mark}-{number}")
        body["metadata"]["labels"] = {"set": mark}
        api.post(path, body)
    other, _ = make(kind, namespace, request_pem, f"{mark}-other")
    api.post(path, other)
    selector = f"labelSelector=set%3D{mark}"
    assert len(api.get(f"{path}?{selector}")["items"]) == 3
    api.delete(f"{path}?{selector}")
    assert api.get(f"{path}?{selector}")["items"] == []
    assert api.get(f"{path}/{mark}-other")["metadata"]["name"] == f"{mark}-other"
    api.delete(f"{path}/{mark}-other")


def test_events_api_filters_by_source_and_reporting_controller(api, namespace):
    """Of "Events API should ensure that an event can be fetched, patched, deleted, and listed": a reporting controller
    is a source where none is named."""
    kind = next(kind for kind in KINDS if kind.group_path == "/apis/events.k8s.io/v1")
    body, _ = make(kind, namespace, None, "e")
    api.post(kind.path.format(ns=namespace), body)
    core = f"/api/v1/namespaces/{namespace}/events"
    api.post(core, {"metadata": {"name": "old"}, "involvedObject": fill(body["regarding"], namespace),
                      "source": {"component": "older"}})
    for path, selector, name in ((core, "source=test", "e"), (core, "source=older", "old"),
                                 (core, "reportingComponent=test", "e"),
                                 (kind.path.format(ns=namespace), "reportingController=test", "e")):
        found = api.get(f"{path}?fieldSelector={selector.replace('=', '%3D')}")["items"]
        assert [one["metadata"]["name"] for one in found] == [name], selector


@pytest.mark.parametrize("kind", KINDS, ids=[kind.test for kind in KINDS])
def test_apply(api, namespace, request_pem, kind):
    """Created, left alone and changed by server-side apply, each field its applier's; then the status."""
    name = f"apply-{namespace}"
    listed = {one["name"]: one for one in api.get(kind.group_path)["resources"]}
    body, _ = make(kind, namespace, request_pem, name)
    version = kind.group_path.removeprefix("/apis/").removeprefix("/api/")
    body |= {"apiVersion": version, "kind": listed[kind.plural]["kind"]}
    one = f"{kind.path.format(ns=namespace)}/{body['metadata']['name']}"

    def apply(path, what):
        return api.call("PATCH", f"{path}?fieldManager=tester&force=true", what,
                        Content_Type="application/apply-patch+yaml")

    made = apply(one, body)
    entry, = made["metadata"]["managedFields"]
    assert (entry["manager"], entry["operation"], entry["apiVersion"]) == ("tester", "Apply", version)
    assert entry["fieldsV1"]["f:metadata"]["f:labels"] == {"f:test": {}}
    assert apply(one, body) == made
    body["metadata"]["labels"] = {"other": "x"}
    changed = apply(one, body)
    assert changed["metadata"]["labels"].get("other") == "x" and "test" not in changed["metadata"]["labels"]
    if kind.status and kind.plural != "certificatesigningrequests":  # whose conditions the approval writes
        status = {key: body[key] for key in ("apiVersion", "kind")} | {
            "metadata": {"name": body["metadata"]["name"]}, "status": fill(kind.status, namespace)}
        now = apply(f"{one}/status", status)
        assert "status" in [one.get("subresource") for one in now["metadata"]["managedFields"]]
    api.delete(one)
