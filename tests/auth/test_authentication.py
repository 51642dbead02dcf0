"""Who sends a request."""
import base64

from auth_server import claims

REVIEW = "/apis/authentication.k8s.io/v1/selfsubjectreviews"


def whoami(server, **who):
    return server.create(REVIEW, {}, **who)["status"]["userInfo"]


def token_of(server, namespace, account="default", **spec):
    return server.create(f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token",
                         {"spec": {"audiences": [], **spec}})["status"]["token"]


def review(server, token, audiences=()):
    return server.create("/apis/authentication.k8s.io/v1/tokenreviews",
                         {"spec": {"token": token, "audiences": list(audiences)}})["status"]


def test_nobody_is_anonymous(server):
    answer = server.call("GET", "/api/v1/nodes")
    assert answer.code == 403
    assert answer.message == ('nodes is forbidden: User "system:anonymous" cannot list resource "nodes" in API group "" '
                              "at the cluster scope")
    assert server.call("GET", "/version").code == 200


def test_certificate_names_a_user_and_groups(server):
    user = whoami(server, cert=server.certificate("jane", groups=["boats", "crew"]))
    assert user["username"] == "jane"
    assert user["groups"] == ["boats", "crew", "system:authenticated"]
    assert user["extra"]["authentication.kubernetes.io/credential-id"][0].startswith("X509SHA256=")


def test_certificate_of_another_ca_is_refused_not_anonymous(server):
    assert server.call("GET", "/version", cert=server.certificate("jane", ca="etcd/ca")).code == 401


def test_bad_token_is_refused_not_anonymous(server):
    for token in ("x", "a.b.c", "abcdef.0123456789abcdef"):
        answer = server.call("GET", "/version", token=token)
        assert (answer.code, answer.json["reason"]) == (401, "Unauthorized")


def test_service_account_token(server):
    namespace = server.namespace()
    token = token_of(server, namespace)
    said = claims(token)
    assert said["sub"] == f"system:serviceaccount:{namespace}:default"
    assert said["exp"] - said["iat"] == 3600
    user = whoami(server, token=token)
    assert user["username"] == said["sub"]
    assert user["uid"] == said["kubernetes.io"]["serviceaccount"]["uid"]
    assert user["groups"] == ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"]
    assert user["extra"]["authentication.kubernetes.io/credential-id"] == [f"JTI={said['jti']}"]


def test_service_account_token_changed_by_a_bit_is_refused(server):
    head, body, signature = token_of(server, server.namespace()).split(".")
    other = ("A" if signature[5] != "A" else "B").join((signature[:5], signature[6:]))
    assert server.call("GET", "/version", token=f"{head}.{body}.{other}").code == 401
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    assert server.call("GET", "/version", token=f"{none}.{body}.").code == 401


def test_token_dies_with_its_service_account(server):
    namespace = server.namespace()
    token = token_of(server, namespace)
    assert server.call("DELETE", f"/api/v1/namespaces/{namespace}/serviceaccounts/default", cert=server.admin).code == 200
    status = review(server, token)
    assert not status.get("authenticated")
    assert "not found" in status["error"]


def test_token_bound_to_a_pod_dies_with_it(server):
    namespace = server.namespace()
    pod = server.create(f"/api/v1/namespaces/{namespace}/pods", server.pod(namespace))
    bound = {"kind": "Pod", "apiVersion": "v1", "name": "p", "uid": pod["metadata"]["uid"]}
    token = token_of(server, namespace, boundObjectRef=bound)
    server.call("DELETE", f"/api/v1/namespaces/{namespace}/pods/p?gracePeriodSeconds=0", cert=server.admin)
    assert not review(server, token).get("authenticated")


def test_token_review_agrees_on_audiences(server):
    namespace = server.namespace()
    token = token_of(server, namespace, audiences=["vault", "boat"])
    assert review(server, token, ["boat", "other"])["audiences"] == ["boat"]
    assert not review(server, token).get("authenticated")
    assert server.call("GET", "/version", token=token).code == 401


def test_bootstrap_token(server):
    data = {"token-id": "abcdez", "token-secret": "0123456789abcdef", "usage-bootstrap-authentication": "true",
            "auth-extra-groups": "system:bootstrappers:boats"}
    secret = {"metadata": {"name": "bootstrap-token-abcdez"}, "type": "bootstrap.kubernetes.io/token",
              "stringData": data}
    server.create("/api/v1/namespaces/kube-system/secrets", secret)
    user = whoami(server, token="abcdez.0123456789abcdef")
    assert user["username"] == "system:bootstrap:abcdez"
    assert user["groups"] == ["system:bootstrappers", "system:bootstrappers:boats", "system:authenticated"]
    assert server.call("GET", "/version", token="abcdez.0123456789abcdee").code == 401


def test_front_proxy_names_users_only_by_its_own_certificate(server):
    fields = [("X-Remote-User", "joe"), ("X-Remote-Group", "crew"), ("X-Remote-Extra-Scope", "all")]
    proxy = server.certificate("front-proxy-client", ca="front-proxy-ca")
    user = server.call("POST", REVIEW, {}, cert=proxy, headers=fields).json["status"]["userInfo"]
    assert (user["username"], user["groups"]) == ("joe", ["crew", "system:authenticated"])
    assert user["extra"] == {"scope": ["all"]}
    other = server.certificate("somebody", ca="front-proxy-ca")
    assert server.call("POST", REVIEW, {}, cert=other, headers=fields).code == 401
    jane = server.certificate("jane")
    assert server.call("POST", REVIEW, {}, cert=jane, headers=fields).json["status"]["userInfo"]["username"] == "jane"


def test_issuer_is_discovered(server):
    config = server.call("GET", "/.well-known/openid-configuration", cert=server.admin).json
    keys = server.call("GET", "/openid/v1/jwks", cert=server.admin).json["keys"]
    assert config["issuer"] == "https://kubernetes.default.svc.cluster.local"
    assert config["jwks_uri"].endswith("/openid/v1/jwks")
    header = token_of(server, server.namespace()).split(".")[0]
    assert keys[0]["kid"] in base64.urlsafe_b64decode(header + "==").decode()
    assert config["id_token_signing_alg_values_supported"] == sorted({key["alg"] for key in keys})
