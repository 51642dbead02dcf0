"""Requests to kube-apiserver as anybody."""
import base64
import json
import ssl
import subprocess
import time
import urllib.error
import urllib.request

AUTHORIZED_WITHIN_S = 10


class Answer:
    def __init__(self, code, headers, body):
        self.code, self.headers, self.body = code, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def message(self):
        return self.json["message"]


class Server:
    """The API server; `call` speaks as the one whose certificate, token or impersonated name is given."""

    def __init__(self, plane, folder):
        self.plane, self.folder, self.count = plane, folder, 0
        self.admin = self.certificate("admin", groups=["system:masters"])

    def certificate(self, name, groups=(), ca="ca"):
        """A client certificate by one of the cluster's CAs: paths of certificate and key."""
        self.count += 1
        base, pki = self.folder / f"client-{self.count}", self.plane.pki
        subject = "".join(f"/O={group}" for group in groups) + f"/CN={name}"
        run = dict(check=True, stderr=subprocess.DEVNULL)
        subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", f"{base}.key", "-out", f"{base}.csr", "-subj", subject], **run)
        extensions = base.with_suffix(".ext")
        extensions.write_text("extendedKeyUsage=clientAuth\n")
        subprocess.run(["openssl", "x509", "-req", "-in", f"{base}.csr", "-CA", pki / f"{ca}.crt", "-CAkey",
                        pki / f"{ca}.key", "-set_serial", str(1000 + self.count), "-days", "1", "-out", f"{base}.crt",
                        "-extfile", extensions], **run)
        return f"{base}.crt", f"{base}.key"

    def call(self, method, path, body=None, *, cert=None, token=None, headers=None, as_user=None, as_groups=()):
        context = ssl.create_default_context(cafile=str(self.plane.pki / "ca.crt"))
        if as_user:
            cert = self.admin
        if cert:
            context.load_cert_chain(*cert)
        request = urllib.request.Request(self.plane.server + path, method=method,
                                         data=None if body is None else json.dumps(body).encode())
        request.add_header("Content-Type", "application/json")
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        if as_user:
            request.add_header("Impersonate-User", as_user)
        for name, value in headers or ():
            request.add_header(name, value)
        if as_groups:  # urllib keeps one field of a name: the last group is the one that counts here
            request.add_header("Impersonate-Group", as_groups[-1])
        try:
            with urllib.request.urlopen(request, context=context) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers, error.read())

    def create(self, path, body, **who):
        answer = self.call("POST", path, body, **(who or {"cert": self.admin}))
        assert answer.code in (200, 201), answer.body
        return answer.json

    def namespace(self, labels=None, account=True):
        """A fresh one, with its default service account unless said otherwise: no controller runs here."""
        self.count += 1
        name = f"ns-{self.count}"
        self.create("/api/v1/namespaces", {"metadata": {"name": name, "labels": labels or {}}})
        if account:
            self.create(f"/api/v1/namespaces/{name}/serviceaccounts", {"metadata": {"name": "default"}})
        return name

    def pod(self, namespace, name="p", **spec):
        spec.setdefault("containers", [{"name": "c", "image": "x"}])
        return {"metadata": {"name": name, "namespace": namespace}, "spec": spec}

    def wait_allowed(self, user, verb, resource, namespace="", group="", *, groups=(), name="", allowed=True):
        """Until the authorizer has taken note of what was written: it is told, as upstream's informers are."""
        review = {"spec": {"user": user, "groups": list(groups), "resourceAttributes": {
            "verb": verb, "resource": resource, "namespace": namespace, "group": group, "name": name}}}
        deadline = time.monotonic() + AUTHORIZED_WITHIN_S
        while time.monotonic() < deadline:
            status = self.create("/apis/authorization.k8s.io/v1/subjectaccessreviews", review)["status"]
            if status["allowed"] == allowed:
                return status
        raise AssertionError(f"{user} may still {'not ' if allowed else ''}{verb} {resource}")


def claims(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
