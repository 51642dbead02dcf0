"""What users, nodes and service accounts may do."""

RBAC = "/apis/rbac.authorization.k8s.io/v1"
NODE = {"as_user": "system:node:n1", "as_groups": ["system:nodes"]}


def bind(server, name, role, user, namespace=None):
    path = f"{RBAC}/namespaces/{namespace}/rolebindings" if namespace else f"{RBAC}/clusterrolebindings"
    server.create(path, {"metadata": {"name": name},
                         "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
                         "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}]})


def role(server, name, rules, **who):
    return server.call("POST", f"{RBAC}/clusterroles", {"metadata": {"name": name}, "rules": rules},
                       **(who or {"cert": server.admin}))


def rule(verbs, resources, group=""):
    return {"verbs": verbs, "apiGroups": [group], "resources": resources}


def test_bootstrap_roles_are_there(server):
    roles = server.call("GET", f"{RBAC}/clusterroles", cert=server.admin).json["items"]
    bindings = server.call("GET", f"{RBAC}/clusterrolebindings", cert=server.admin).json["items"]
    assert len([r for r in roles if r["metadata"].get("labels", {}).get("kubernetes.io/bootstrapping")]) == 69
    assert {"cluster-admin", "admin", "edit", "view", "system:node"} <= {r["metadata"]["name"] for r in roles}
    admin = next(b for b in bindings if b["metadata"]["name"] == "cluster-admin")
    assert admin["subjects"] == [{"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "system:masters"}]


def test_role_holds_in_its_namespace(server):
    namespace, other = server.namespace(), server.namespace()
    assert role(server, "reader", [rule(["get", "list"], ["pods"])]).code == 201
    bind(server, "reader", "reader", "ann", namespace)
    status = server.wait_allowed("ann", "list", "pods", namespace)
    assert status["reason"] == f'RBAC: allowed by RoleBinding "reader/{namespace}" of ClusterRole "reader" to User "ann"'
    assert server.call("GET", f"/api/v1/namespaces/{namespace}/pods", as_user="ann").code == 200
    answer = server.call("GET", f"/api/v1/namespaces/{other}/pods", as_user="ann")
    assert answer.code == 403
    assert answer.message == (f'pods is forbidden: User "ann" cannot list resource "pods" in API group "" in the '
                              f'namespace "{other}"')
    assert server.call("DELETE", f"/api/v1/namespaces/{namespace}/pods/p", as_user="ann").code == 403
    server.call("DELETE", f"{RBAC}/namespaces/{namespace}/rolebindings/reader", cert=server.admin)
    server.wait_allowed("ann", "list", "pods", namespace, allowed=False)
    assert server.call("GET", f"/api/v1/namespaces/{namespace}/pods", as_user="ann").code == 403


def test_nobody_grants_what_he_has_not(server):
    assert role(server, "granter", [rule(["create", "update"], ["clusterroles", "clusterrolebindings"],
                                         "rbac.authorization.k8s.io")]).code == 201
    bind(server, "granter", "granter", "eve")
    server.wait_allowed("eve", "create", "clusterroles", group="rbac.authorization.k8s.io")
    answer = role(server, "more", [rule(["get"], ["secrets"])], as_user="eve")
    assert answer.code == 403
    assert answer.message == (
        'clusterroles.rbac.authorization.k8s.io "more" is forbidden: user "eve" (groups=["system:authenticated"]) is '
        'attempting to grant RBAC permissions not currently held:\n'
        '{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}')
    assert role(server, "same", [rule(["create"], ["clusterroles"], "rbac.authorization.k8s.io")],
                as_user="eve").code == 201
    binding = {"metadata": {"name": "more"}, "subjects": [],
               "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}}
    answer = server.call("POST", f"{RBAC}/clusterrolebindings", binding, as_user="eve")
    assert (answer.code, answer.json["reason"]) == (403, "Forbidden")


def test_who_may_escalate_or_bind_grants_more(server):
    rules = [rule(["create", "escalate"], ["clusterroles"], "rbac.authorization.k8s.io"),
             rule(["create"], ["clusterrolebindings"], "rbac.authorization.k8s.io"),
             {**rule(["bind"], ["clusterroles"], "rbac.authorization.k8s.io"), "resourceNames": ["cluster-admin"]}]
    assert role(server, "trusted", rules).code == 201
    bind(server, "trusted", "trusted", "tom")
    server.wait_allowed("tom", "create", "clusterrolebindings", group="rbac.authorization.k8s.io")
    assert role(server, "more-by-tom", [rule(["get"], ["secrets"])], as_user="tom").code == 201
    for name, code in (("cluster-admin", 201), ("system:node", 403)):
        binding = {"metadata": {"name": f"tom-{name.replace(':', '-')}"}, "subjects": [],
                   "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}}
        assert server.call("POST", f"{RBAC}/clusterrolebindings", binding, as_user="tom").code == code


def test_rules_review_tells_what_the_user_may(server):
    status = server.call("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
                         {"spec": {"namespace": "default"}}, as_user="zoe").json["status"]
    assert {"verbs": ["create"], "apiGroups": ["authorization.k8s.io"],
            "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"]} in status["resourceRules"]
    assert any("/healthz" in rule["nonResourceURLs"] for rule in status["nonResourceRules"])
    assert not status["incomplete"]


def test_node_reads_its_own(server):
    namespace = server.namespace()
    for name in ("mine", "other"):
        server.create(f"/api/v1/namespaces/{namespace}/secrets", {"metadata": {"name": name}})
    container = {"name": "c", "image": "x", "envFrom": [{"secretRef": {"name": "mine"}}]}
    secret = f"/api/v1/namespaces/{namespace}/secrets"
    answer = server.call("GET", f"{secret}/mine", **NODE)
    assert answer.code == 403
    assert answer.message.endswith("no relationship found between node 'n1' and this object")
    server.create(f"/api/v1/namespaces/{namespace}/pods",
                  server.pod(namespace, nodeName="n1", containers=[container]))
    server.wait_allowed("system:node:n1", "get", "secrets", namespace, groups=["system:nodes"], name="mine")
    assert server.call("GET", f"{secret}/mine", **NODE).code == 200
    assert server.call("GET", f"{secret}/other", **NODE).code == 403
    assert server.call("GET", f"{secret}", **NODE).code == 403
    assert server.call("GET", f"/api/v1/namespaces/{namespace}/pods/p", **NODE).code == 200
    assert server.call("GET", "/api/v1/pods?fieldSelector=spec.nodeName%3Dn1", **NODE).code == 200
    assert server.call("GET", "/api/v1/pods?fieldSelector=spec.nodeName%3Dn2", **NODE).code == 403
    answer = server.call("GET", "/api/v1/nodes", **NODE)
    assert answer.message.endswith("node 'n1' cannot read all nodes, only its own Node object")


def test_node_reads_what_a_pod_bound_to_it_needs(server):
    namespace = server.namespace()
    pods, who = f"/api/v1/namespaces/{namespace}/pods", {"groups": ["system:nodes"], "name": "map"}
    volume = {"name": "v", "configMap": {"name": "map"}}
    server.create(pods, server.pod(namespace, volumes=[volume]))
    server.create(f"/api/v1/namespaces/{namespace}/configmaps", {"metadata": {"name": "map"}})
    path = f"/api/v1/namespaces/{namespace}/configmaps/map"
    assert server.call("GET", path, **NODE).code == 403
    server.create(f"{pods}/p/binding", {"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "n1"}})
    server.wait_allowed("system:node:n1", "get", "configmaps", namespace, **who)
    answer = server.call("PUT", f"{pods}/p/status",
                         {**server.call("GET", f"{pods}/p", cert=server.admin).json, "status": {"phase": "Running"}},
                         **NODE)
    assert answer.code == 200
    assert server.call("GET", path, **NODE).code == 200
    server.call("DELETE", f"{pods}/p?gracePeriodSeconds=0", cert=server.admin)
    server.wait_allowed("system:node:n1", "get", "configmaps", namespace, allowed=False, **who)
