"""Accounts, tokens and reviews, after upstream's conformance tests of group U1."""
import base64
import json
import time

NOTICED_WITHIN_S = 10


def review(api, kind, spec, group="authorization.k8s.io"):
    return api.post(f"/apis/{group}/v1/{kind}", {"spec": spec})["status"]


def test_service_accounts_should_update_a_service_account(whole, namespace):
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    account = whole.post(path, {"metadata": {"name": "a"}})
    assert "automountServiceAccountToken" not in account
    account["automountServiceAccountToken"] = False
    assert whole.put(f"{path}/a", account)["automountServiceAccountToken"] is False


def test_service_accounts_should_create_a_service_account_token_and_ensure_a_successful_token_review(whole, namespace):
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    account = whole.post(path, {"metadata": {"name": "a"}})
    made = whole.post(f"{path}/a/token", {"spec": {"expirationSeconds": 3600}})
    token = made["status"]["token"]
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    user = f"system:serviceaccount:{namespace}:a"
    assert claims["sub"] == user and claims["exp"] - claims["iat"] == 3600
    status = review(whole, "tokenreviews", {"token": token}, "authentication.k8s.io")
    assert status["authenticated"] and (status["user"]["username"], status["user"]["uid"]) == (
        user, account["metadata"]["uid"])
    assert {"system:serviceaccounts", f"system:serviceaccounts:{namespace}"} <= set(status["user"]["groups"])
    other = whole.post(f"{path}/a/token", {"spec": {}})["status"]["token"]
    whole.delete(f"{path}/a")
    whole.wait(path, lambda found: "a" not in found)
    status = review(whole, "tokenreviews", {"token": other}, "authentication.k8s.io")
    assert not status.get("authenticated"), "a token that nobody has asked about before, of an account that is gone"


def test_service_accounts_should_guarantee_kube_root_ca_crt_exist_in_any_namespace(whole, namespace, cluster):
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    want = (cluster.pki / "ca.crt").read_text()
    first = whole.wait_one(path, "kube-root-ca.crt", lambda found: found["data"]["ca.crt"] == want)
    whole.delete(f"{path}/kube-root-ca.crt")
    whole.wait_one(path, "kube-root-ca.crt", lambda found: found["metadata"]["uid"] != first["metadata"]["uid"])
    whole.patch(f"{path}/kube-root-ca.crt", {"data": {"ca.crt": "nonsense"}})
    whole.wait_one(path, "kube-root-ca.crt", lambda found: found["data"]["ca.crt"] == want)


def test_service_accounts_should_allow_opting_out_of_api_token_automount(whole, namespace):
    path = f"/api/v1/namespaces/{namespace}"
    for name, mounts in (("mount", True), ("nomount", False), ("default", None)):
        change = {"automountServiceAccountToken": mounts}
        if name != "default":
            whole.post(f"{path}/serviceaccounts", {"metadata": {"name": name}, **change})
    whole.wait(f"{path}/serviceaccounts", lambda found: len(found) == 3)
    container = {"name": "c", "image": "registry.test/c:1"}
    for account, asked, want in (("default", None, True), ("default", False, False), ("mount", None, True),
                                 ("mount", False, False), ("nomount", None, False), ("nomount", True, True)):
        spec = {"serviceAccountName": account, "containers": [container]}
        if asked is not None:
            spec["automountServiceAccountToken"] = asked
        made = whole.post(f"{path}/pods?dryRun=All", {"metadata": {"generateName": "p-"}, "spec": spec})
        mounts = [one["mountPath"] for one in made["spec"]["containers"][0].get("volumeMounts", [])]
        assert ("/var/run/secrets/kubernetes.io/serviceaccount" in mounts) == want, (account, asked)


def test_subject_review_should_support_subject_review_api_operations(whole, namespace):
    user = f"user-{namespace}"
    asked = {"namespace": namespace, "verb": "list", "resource": "pods", "version": "v1"}
    assert not review(whole, "subjectaccessreviews", {"user": user, "resourceAttributes": asked})["allowed"]
    assert not review(whole, f"namespaces/{namespace}/localsubjectaccessreviews",
                      {"user": user, "resourceAttributes": asked})["allowed"]
    whole.post(f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles", {
        "metadata": {"name": "r"}, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]})
    whole.post(f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings", {
        "metadata": {"name": "r"}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}]})
    deadline = time.monotonic() + NOTICED_WITHIN_S
    while not review(whole, "subjectaccessreviews", {"user": user, "resourceAttributes": asked})["allowed"]:
        assert time.monotonic() < deadline, "the authorizer has not taken note of the role"
    assert review(whole, f"namespaces/{namespace}/localsubjectaccessreviews",
                  {"user": user, "resourceAttributes": asked})["allowed"]
    assert not review(whole, "subjectaccessreviews",
                      {"user": user, "resourceAttributes": {**asked, "verb": "delete"}})["allowed"]
    mine = whole.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                      {"spec": {"resourceAttributes": asked}}, Impersonate_User=user)
    assert mine["status"]["allowed"]
