"""A6: admission webhooks, after apimachinery/webhook.go; the webhook is a server of the test's own, reached by URL."""
import base64
import json
import ssl
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from client import Client, Refused

GROUP = "/apis/admissionregistration.k8s.io/v1"
KINDS = {"validating": "ValidatingWebhookConfiguration", "mutating": "MutatingWebhookConfiguration"}


class Hook:
    """Answers by `answer`, a function from the request to what the response has beside its uid; keeps what it heard."""

    def __init__(self, pki):
        hook = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                hook.heard.append((self.path, review))
                answer = hook.answer(review["request"])
                code, body = answer if isinstance(answer, tuple) else (200, {
                    "apiVersion": review["apiVersion"], "kind": "AdmissionReview",
                    "response": {"uid": review["request"]["uid"], "allowed": True, **(answer or {})}})
                data = json.dumps(body).encode()
                self.send_response(code)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args):
                pass

        self.heard, self.answer = [], lambda request: None
        self.ca = (pki / "ca.crt").read_bytes()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pki / "apiserver.crt", pki / "apiserver.key")
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_address[1]}"
        self.server.handle_error = lambda *who: None  # a client that does not trust it hangs up
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def requests(self):
        return [review["request"] for _, review in self.heard]


@pytest.fixture
def hook(plane):
    hook = Hook(Path(plane.folder) / "pki")
    yield hook
    hook.server.shutdown()
    hook.server.server_close()


@pytest.fixture
def api(plane):
    return Client(plane.kubeconfig)


@pytest.fixture
def ns(api):
    name = f"hooks-{uuid.uuid4().hex[:8]}"
    api.post("/api/v1/namespaces", {"metadata": {"name": name, "labels": {"hooked": name}}})
    return name


@pytest.fixture
def register(api, hook, ns):
    """Registers the hook for what happens in the test's namespace; takes it away at the end."""
    made = []

    def register(kind, resources, operations=("CREATE",), **more):
        webhook = {"name": "test.example.com", "sideEffects": "None", "admissionReviewVersions": ["v1"],
                   "clientConfig": {"url": hook.url + "/review",
                                    "caBundle": base64.b64encode(hook.ca).decode()},
                   "namespaceSelector": {"matchLabels": {"hooked": ns}},
                   "rules": [{"apiGroups": ["*"], "apiVersions": ["*"], "resources": list(resources),
                              "operations": list(operations)}], **more}
        path = f"{GROUP}/{kind}webhookconfigurations"
        name = f"{ns}-{len(made)}"
        api.post(path, {"kind": KINDS[kind], "apiVersion": "admissionregistration.k8s.io/v1",
                        "metadata": {"name": name}, "webhooks": [webhook]})
        made.append(f"{path}/{name}")
        return made[-1]

    yield register
    for path in made:
        api.ask("DELETE", path)


def patch(*operations):
    return {"patchType": "JSONPatch", "patch": base64.b64encode(json.dumps(operations).encode()).decode()}


def add(path, value):
    return {"op": "add", "path": path, "value": value}


def maps(ns, name=""):
    return f"/api/v1/namespaces/{ns}/configmaps" + (f"/{name}" if name else "")


def denied(api, method, path, body, message, status):
    with pytest.raises(Refused) as answer:
        api.call(method, path, body, Content_Type="application/json" if method != "PATCH" else
                 "application/merge-patch+json")
    assert answer.value.status == status, answer.value.body
    assert answer.value.body["message"] == message
    return answer.value.body


def test_should_include_webhook_resources_in_discovery_documents(api):
    groups = {group["name"]: group for group in api.get("/apis")["groups"]}
    assert groups["admissionregistration.k8s.io"]["preferredVersion"]["version"] == "v1"
    names = {one["name"] for one in api.get(GROUP)["resources"]}
    assert names == {"mutatingwebhookconfigurations", "validatingwebhookconfigurations"}


def test_should_be_able_to_deny_pod_and_configmap_creation(api, hook, register, ns):
    register("validating", ["configmaps", "pods"], ["CREATE", "UPDATE"])
    hook.answer = lambda request: {"allowed": "bad" not in json.dumps(request["object"]["metadata"].get("labels")),
                                   "status": {"message": "the configmap contains unwanted label", "code": 403,
                                              "reason": "Forbidden"}}
    body = {"metadata": {"name": "c", "labels": {"a": "bad"}}}
    refused = denied(api, "POST", maps(ns), body, 'admission webhook "test.example.com" denied the request: '
                     "the configmap contains unwanted label", 403)
    assert refused["reason"] == "Forbidden"
    api.post(maps(ns), {"metadata": {"name": "c"}})
    for method, kind in (("PUT", body), ("PATCH", {"metadata": {"labels": {"a": "bad"}}})):
        denied(api, method, maps(ns, "c"), kind, 'admission webhook "test.example.com" denied the request: '
               "the configmap contains unwanted label", 403)
    request = hook.requests()[0]
    assert request["kind"] == {"group": "", "version": "v1", "kind": "ConfigMap"}
    assert request["resource"] == request["requestResource"] == {"group": "", "version": "v1", "resource": "configmaps"}
    assert (request["operation"], request["namespace"], request["name"]) == ("CREATE", ns, "c")
    assert request["userInfo"]["groups"] and request["dryRun"] is False
    assert request["options"] == {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"}
    assert request["object"]["kind"] == "ConfigMap" and request["oldObject"] is None
    assert hook.requests()[-1]["oldObject"]["metadata"]["name"] == "c"
    assert all(path.startswith("/review?timeout=10s") for path, _ in hook.heard)


def test_a_denial_without_a_word_is_said_to_be_one(api, hook, register, ns):
    register("validating", ["configmaps"])
    hook.answer = lambda request: {"allowed": False}
    denied(api, "POST", maps(ns), {"metadata": {"name": "c"}},
           'admission webhook "test.example.com" denied the request without explanation', 400)


def test_should_be_able_to_deny_deletion(api, hook, register, ns):
    api.post(maps(ns), {"metadata": {"name": "c"}})
    register("validating", ["configmaps"], ["DELETE"])
    hook.answer = lambda request: {"allowed": False, "status": {"message": "stays"}}
    denied(api, "DELETE", maps(ns, "c"), None, 'admission webhook "test.example.com" denied the request: stays', 400)
    request = hook.requests()[0]
    assert request["operation"] == "DELETE" and request["object"] is None
    assert request["oldObject"]["metadata"]["name"] == "c" and request["options"]["kind"] == "DeleteOptions"


def test_should_mutate_configmap(api, hook, register, ns):
    register("mutating", ["configmaps"])
    hook.answer = lambda request: patch(add("/data/stage-1", "yes"))
    made = api.post(maps(ns), {"metadata": {"name": "c"}, "data": {"start": "yes"}})
    assert made["data"] == {"start": "yes", "stage-1": "yes"}


def test_should_mutate_pod_and_apply_defaults_after_mutation(api, hook, register, ns):
    register("mutating", ["pods"])
    hook.answer = lambda request: patch(add("/spec/initContainers", [{"name": "added", "image": "one"}]))
    api.post(f"/api/v1/namespaces/{ns}/serviceaccounts", {"metadata": {"name": "default"}})
    pod = api.post(f"/api/v1/namespaces/{ns}/pods", {"metadata": {"name": "p"},
                                                     "spec": {"containers": [{"name": "c", "image": "one"}]}})
    assert pod["spec"]["initContainers"][0]["terminationMessagePolicy"] == "File"
    assert pod["spec"]["initContainers"][0]["imagePullPolicy"] == "Always"


def test_what_a_webhook_makes_is_validated(api, hook, register, ns):
    register("mutating", ["configmaps"])
    hook.answer = lambda request: patch(add("/data", {"": "x"}))
    with pytest.raises(Refused) as answer:
        api.post(maps(ns), {"metadata": {"name": "c"}})
    assert answer.value.status == 422


def test_should_mutate_everything_except_skip_me_configmaps(api, hook, register, ns):
    register("mutating", ["configmaps"], objectSelector={"matchExpressions": [
        {"key": "skip-me", "operator": "DoesNotExist"}]})
    hook.answer = lambda request: patch(add("/data", {"mutated": "yes"}))
    assert api.post(maps(ns), {"metadata": {"name": "c"}})["data"] == {"mutated": "yes"}
    assert "data" not in api.post(maps(ns), {"metadata": {"name": "d", "labels": {"skip-me": "1"}}})
    other = api.post("/api/v1/namespaces", {"metadata": {"generateName": "unhooked-"}})["metadata"]["name"]
    assert "data" not in api.post(maps(other), {"metadata": {"name": "c"}})


def test_should_unconditionally_reject_operations_on_fail_closed_webhook(api, hook, register, ns):
    register("validating", ["configmaps"], clientConfig={"url": "https://127.0.0.1:1/closed"})
    with pytest.raises(Refused) as answer:
        api.post(maps(ns), {"metadata": {"name": "c"}})
    assert (answer.value.status, answer.value.body["reason"]) == (500, "InternalError")
    assert answer.value.body["message"].startswith(
        'Internal error occurred: failed calling webhook "test.example.com": failed to call webhook: '
        'Post "https://127.0.0.1:1/closed?timeout=10s": ')


def test_a_webhook_that_nobody_trusts_is_not_asked(api, hook, register, ns):
    register("validating", ["configmaps"], clientConfig={"url": hook.url})
    with pytest.raises(Refused) as answer:
        api.post(maps(ns), {"metadata": {"name": "c"}})
    assert answer.value.status == 500 and not hook.heard


def test_should_honor_timeout(api, hook, register, ns):
    release = threading.Event()
    hook.answer = lambda request: release.wait(20) and None
    slow = register("validating", ["configmaps"], timeoutSeconds=1)
    with pytest.raises(Refused) as answer:
        api.post(maps(ns), {"metadata": {"name": "c"}})
    assert answer.value.status == 500
    assert answer.value.body["message"].endswith("/review?timeout=1s\": context deadline exceeded")
    api.patch(slow, [{"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Ignore"}], "json")
    api.post(maps(ns), {"metadata": {"name": "c"}})
    release.set()


def test_should_not_be_able_to_mutate_or_prevent_deletion_of_webhook_configuration_objects(api, hook, register):
    register("validating", ["*/*"], ["*"], namespaceSelector={}, rules=[
        {"apiGroups": ["admissionregistration.k8s.io"], "apiVersions": ["*"], "resources": ["*/*"],
         "operations": ["*"]}])
    hook.answer = lambda request: {"allowed": False}
    path = f"{GROUP}/validatingwebhookconfigurations"
    name = api.post(path, {"metadata": {"generateName": "free-"}})["metadata"]["name"]
    api.delete(f"{path}/{name}")
    assert not hook.heard


def test_a_dry_run_goes_only_to_webhooks_without_side_effects(api, hook, register, ns, plane):
    register("mutating", ["configmaps"])
    hook.answer = lambda request: patch(add("/data", {"dry": str(request["dryRun"])}))
    made = api.post(maps(ns) + "?dryRun=All", {"metadata": {"name": "c"}})
    assert made["data"] == {"dry": "True"}
    assert hook.requests()[0]["options"]["dryRun"] == ["All"]


def test_warnings_of_a_webhook_reach_the_client(api, hook, register, ns):
    register("validating", ["configmaps"])
    hook.answer = lambda request: {"warnings": ["mind the gap"]}
    answer = api.ask("POST", maps(ns), {"metadata": {"name": "c"}})
    assert answer.status == 201 and answer.headers["Warning"] == '299 - "mind the gap"'


def test_webhooks_are_invoked_again_when_a_later_one_changes_the_object(api, hook, register, ns):
    def answer(request):
        data = request["object"].get("data", {})
        first = request["object"]["metadata"].get("labels", {}).get("seen")
        return patch(add("/data", {**data, "times": str(int(data.get("times", "0")) + 1)})) if not first else None

    register("mutating", ["configmaps"], reinvocationPolicy="IfNeeded")
    register("mutating", ["configmaps"], name="second.example.com")
    hook.answer = answer
    made = api.post(maps(ns), {"metadata": {"name": "c"}})
    assert made["data"] == {"times": "3"}
    assert len(hook.heard) == 3


@pytest.mark.parametrize("answer, why", [
    ((500, {"oops": 1}), "an error on the server"),
    ((200, {"kind": "Other", "apiVersion": "v1"}), "received invalid webhook response: webhook response was absent"),
    ({"uid": "another"}, "received invalid webhook response: expected response.uid="),
    ({"patch": "e30="}, "validating webhook may not return response.patch"),
])
def test_an_answer_that_is_none_is_a_failure_of_the_webhook(api, hook, register, ns, answer, why):
    register("validating", ["configmaps"])
    hook.answer = lambda request: answer
    with pytest.raises(Refused) as refused:
        api.post(maps(ns), {"metadata": {"name": "c"}})
    assert refused.value.status == 500
    assert why in refused.value.body["message"], refused.value.body["message"]


@pytest.mark.parametrize("kind", KINDS)
def test_listing_patching_and_updating_webhooks_should_work(api, hook, register, ns, kind):
    path = register(kind, ["configmaps"])
    found = api.get(path)
    webhook = found["webhooks"][0]
    assert (webhook["failurePolicy"], webhook["matchPolicy"], webhook["timeoutSeconds"]) == ("Fail", "Equivalent", 10)
    assert webhook["rules"][0]["scope"] == "*" and found["metadata"]["generation"] == 1
    webhook["rules"][0]["operations"] = ["UPDATE"]
    assert api.put(path, found)["metadata"]["generation"] == 2
    api.post(maps(ns), {"metadata": {"name": "c"}})
    assert not hook.heard
    api.patch(path, [{"op": "replace", "path": "/webhooks/0/rules/0/operations", "value": ["CREATE"]}], "json")
    api.post(maps(ns), {"metadata": {"name": "d"}})
    assert len(hook.heard) == 1
    collection = path.rsplit("/", 1)[0]
    api.patch(path, {"metadata": {"labels": {"of": ns}}})
    assert len(api.get(f"{collection}?labelSelector=of%3D{ns}")["items"]) == 1
    api.delete(f"{collection}?labelSelector=of%3D{ns}")
    api.post(maps(ns), {"metadata": {"name": "e"}})
    assert len(hook.heard) == 1


@pytest.mark.parametrize("change, message", [
    ({"name": "short"}, "should be a domain with at least three segments separated by dots"),
    ({"sideEffects": "Some"}, 'Unsupported value: "Some": supported values: "None", "NoneOnDryRun"'),
    ({"admissionReviewVersions": ["v9"]}, "must include at least one of v1, v1beta1"),
    ({"clientConfig": {}}, "exactly one of url or service is required"),
    ({"clientConfig": {"url": "http://x"}}, "'https' is the only allowed URL scheme"),
    ({"timeoutSeconds": 31}, "the timeout value must be between 1 and 30 seconds"),
    ({"clientConfig": {"service": {"name": "s", "namespace": "n", "path": "a"}}}, "must start with a '/'"),
    ({"matchConditions": [{"name": "c", "expression": "true"}]}, "does not evaluate CEL expressions yet"),
])
def test_a_configuration_that_makes_no_sense_is_refused(register, change, message):
    with pytest.raises(Refused) as answer:
        register("validating", ["configmaps"], **change)
    assert answer.value.status == 422
    assert message in answer.value.body["message"], answer.value.body["message"]
