"""Certificate signing requests: approved, signed and refused as upstream's controllers do."""
import base64
import subprocess

import pytest

REQUESTS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
RBAC = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
KUBELET_CLIENT = "kubernetes.io/kube-apiserver-client-kubelet"
KUBELET_SERVING = "kubernetes.io/kubelet-serving"
CLIENT_USAGES = ["digital signature", "client auth"]
SERVING_USAGES = ["digital signature", "server auth"]


@pytest.fixture
def request_of(api, tmp_path):
    """Makes a CertificateSigningRequest with a key of its own; removes what it made."""
    made = []

    def make(name, signer, subject, usages, san=None, **spec):
        argv = ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-keyout", tmp_path / f"{name}.key", "-subj", subject]
        pem = subprocess.run([*argv, *(["-addext", f"subjectAltName={san}"] if san else [])], check=True,
                             capture_output=True).stdout
        made.append(name)
        return api.create(REQUESTS, {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
                                     "metadata": {"name": name},
                                     "spec": {"request": base64.b64encode(pem).decode(), "signerName": signer,
                                              "usages": usages, **spec}})

    yield make
    left = {item["metadata"]["name"] for item in api.get(REQUESTS)["items"]}
    for name in left.intersection(made):
        api.delete(f"{REQUESTS}/{name}")


def decide(api, name, how="Approved", **more):
    request = api.get(f"{REQUESTS}/{name}")
    request["status"]["conditions"] = [{"type": how, "status": "True", "reason": "Test", **more}]
    api.call("PUT", f"{REQUESTS}/{name}/approval", request)


def conditions(request):
    return {c["type"]: c for c in request["status"].get("conditions", [])}


def issued(api, name):
    found = api.until(REQUESTS, lambda all: all[name]["status"].get("certificate"))[name]
    return found, base64.b64decode(found["status"]["certificate"])


def text_of(pem):
    return subprocess.run(["openssl", "x509", "-noout", "-text"], input=pem, check=True,
                          capture_output=True).stdout.decode()


def lifetime_s(pem):
    def seconds(which):
        out = subprocess.run(["openssl", "x509", "-noout", f"-{which}date"], input=pem, check=True,
                             capture_output=True).stdout.decode().split("=")[1].strip()
        return int(subprocess.run(["date", "-d", out, "+%s"], check=True, capture_output=True).stdout)
    return seconds("end") - seconds("start")


def test_a_kubelets_client_certificate_is_approved_and_signed(api, plane, request_of):
    api.create(RBAC, {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
                      "metadata": {"name": "test-node-client"},
                      "subjects": [{"kind": "Group", "name": "system:masters"}],
                      "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
                                  "name": "system:certificates.k8s.io:certificatesigningrequests:nodeclient"}})
    request_of("kubelet-client", KUBELET_CLIENT, "/O=system:nodes/CN=system:node:node-a", CLIENT_USAGES)
    found, pem = issued(api, "kubelet-client")
    assert conditions(found)["Approved"]["reason"] == "AutoApproved"
    assert conditions(found)["Approved"]["message"] == (
        "Auto approving kubelet client certificate after SubjectAccessReview.")
    text = text_of(pem)
    assert "Subject: O = system:nodes, CN = system:node:node-a" in text
    assert "TLS Web Client Authentication" in text
    assert "CA:FALSE" in text
    (plane.folder / "kubelet-client.crt").write_bytes(pem)
    verified = subprocess.run(["openssl", "verify", "-CAfile", plane.pki / "ca.crt",
                               plane.folder / "kubelet-client.crt"], capture_output=True, check=False)
    assert verified.returncode == 0, verified
    api.delete(f"{RBAC}/test-node-client")


def test_a_kubelets_serving_certificate_waits_for_approval(api, request_of):
    request_of("kubelet-serving", KUBELET_SERVING, "/O=system:nodes/CN=system:node:node-a", SERVING_USAGES,
               san="DNS:node-a,IP:10.0.0.7", expirationSeconds=3600)
    assert conditions(api.get(f"{REQUESTS}/kubelet-serving")) == {}
    decide(api, "kubelet-serving")
    _, pem = issued(api, "kubelet-serving")
    assert "DNS:node-a, IP Address:10.0.0.7" in text_of(pem)
    assert "TLS Web Server Authentication" in text_of(pem)
    assert lifetime_s(pem) == 3600 + 300, "a short one is not cut by its backdating"


@pytest.mark.parametrize("name,signer,subject,usages,san,message", [
    ("no-name", KUBELET_SERVING, "/O=system:nodes/CN=system:node:a", SERVING_USAGES, None,
     "DNS or IP subjectAltName is required"),
    ("mail", KUBELET_SERVING, "/O=system:nodes/CN=system:node:a", SERVING_USAGES, "DNS:a,email:a@b",
     "Email subjectAltNames are not allowed"),
    ("usages", "kubernetes.io/kube-apiserver-client", "/CN=me", SERVING_USAGES, None,
     "invalid usage for client certificate: server auth"),
    ("group", KUBELET_CLIENT, "/O=system:masters/CN=system:node:a", CLIENT_USAGES, None,
     "subject organization is not system:nodes"),
])
def test_what_a_signer_does_not_sign_has_failed(api, request_of, name, signer, subject, usages, san, message):
    request_of(name, signer, subject, usages, san=san)
    decide(api, name)
    found = api.until(REQUESTS, lambda all: "Failed" in conditions(all[name]))[name]
    assert conditions(found)["Failed"]["reason"] == "SignerValidationFailure"
    assert conditions(found)["Failed"]["message"] == message
    assert not found["status"].get("certificate")


def test_a_request_that_was_denied_an_hour_ago_is_removed(api, request_of):
    request_of("old", "example.com/mine", "/CN=me", CLIENT_USAGES)
    request_of("new", "example.com/mine", "/CN=me", CLIENT_USAGES)
    decide(api, "new", "Denied")
    decide(api, "old", "Denied", lastUpdateTime="2020-01-01T00:00:00Z")
    assert "new" in api.until(REQUESTS, lambda all: "old" not in all)
