"""What plugins change and refuse."""

NODE = {"as_user": "system:node:n7", "as_groups": ["system:nodes"]}


def create_pod(server, namespace, name="p", **spec):
    return server.call("POST", f"/api/v1/namespaces/{namespace}/pods",
                       server.pod(namespace, name, **spec), cert=server.admin)


def test_pod_gets_what_every_pod_has(server):
    namespace = server.namespace()
    spec = create_pod(server, namespace).json["spec"]
    assert spec["serviceAccountName"] == "default"
    assert spec["priority"] == 0
    assert spec["preemptionPolicy"] == "PreemptLowerPriority"
    assert [t["key"] for t in spec["tolerations"]] == ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"]
    volume = spec["volumes"][0]
    assert volume["name"].startswith("kube-api-access-")
    assert [next(iter(s)) for s in volume["projected"]["sources"]] == ["serviceAccountToken", "configMap", "downwardAPI"]
    assert spec["containers"][0]["volumeMounts"] == [
        {"name": volume["name"], "readOnly": True, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}]


def test_pod_may_decline_its_token(server):
    namespace = server.namespace()
    assert "volumes" not in create_pod(server, namespace, automountServiceAccountToken=False).json["spec"]


def test_pod_needs_its_service_account(server):
    namespace = server.namespace()
    answer = create_pod(server, namespace, serviceAccountName="nobody")
    assert answer.code == 403
    assert answer.message == (f'pods "p" is forbidden: error looking up service account {namespace}/nobody: '
                              'serviceaccount "nobody" not found')


def test_namespace_must_be_there_and_stay(server):
    answer = server.call("POST", "/api/v1/namespaces/nowhere/configmaps", {"metadata": {"name": "c"}}, cert=server.admin)
    assert (answer.code, answer.message) == (404, 'namespaces "nowhere" not found')
    namespace = server.namespace()
    server.call("DELETE", f"/api/v1/namespaces/{namespace}", cert=server.admin)
    answer = server.call("POST", f"/api/v1/namespaces/{namespace}/configmaps", {"metadata": {"name": "c"}},
                         cert=server.admin)
    assert answer.code == 403
    assert answer.message == (f'configmaps "c" is forbidden: unable to create new content in namespace {namespace} '
                              "because it is being terminated")
    assert answer.json["details"]["causes"] == [{
        "reason": "NamespaceTerminating", "message": f"namespace {namespace} is being terminated",
        "field": "metadata.namespace"}]
    answer = server.call("DELETE", "/api/v1/namespaces/kube-system", cert=server.admin)
    assert answer.message == 'namespaces "kube-system" is forbidden: this namespace may not be deleted'


def test_pod_security_enforces_and_warns(server):
    namespace = server.namespace({"pod-security.kubernetes.io/enforce": "baseline",
                                  "pod-security.kubernetes.io/warn": "restricted"})
    answer = create_pod(server, namespace, hostNetwork=True)
    assert answer.code == 403
    assert answer.message == ('pods "p" is forbidden: violates PodSecurity "baseline:latest": host namespaces '
                              "(hostNetwork=true)")
    answer = create_pod(server, namespace)
    assert answer.code == 201
    assert answer.headers["Warning"].startswith('299 - "would violate PodSecurity \\"restricted:latest\\": ')
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "x"}]}}
    deployment = {"metadata": {"name": "d"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template}}
    answer = server.call("POST", f"/apis/apps/v1/namespaces/{namespace}/deployments", deployment, cert=server.admin)
    assert answer.code == 201 and "runAsNonRoot" in answer.headers["Warning"]
    answer = server.call("POST", "/api/v1/namespaces", {"metadata": {"name": "bad-label", "labels": {
        "pod-security.kubernetes.io/enforce": "none"}}}, cert=server.admin)
    assert answer.code == 422
    assert "must be one of privileged, baseline, restricted" in answer.message


def test_limit_ranges_fill_and_bound(server):
    namespace = server.namespace()
    server.create(f"/api/v1/namespaces/{namespace}/limitranges", {
        "metadata": {"name": "l"}, "spec": {"limits": [{"type": "Container", "default": {"cpu": "100m"},
                                                         "max": {"cpu": "200m"}}]}})
    pod = create_pod(server, namespace).json
    assert pod["spec"]["containers"][0]["resources"] == {"limits": {"cpu": "100m"}, "requests": {"cpu": "100m"}}
    assert pod["metadata"]["annotations"]["kubernetes.io/limit-ranger"] == (
        "LimitRanger plugin set: cpu request for container c; cpu limit for container c")
    big = [{"name": "c", "image": "x", "resources": {"limits": {"cpu": "1"}}}]
    answer = create_pod(server, namespace, name="q", containers=big)
    assert answer.message == ('pods "q" is forbidden: maximum cpu usage per Container is 200m, but limit is 1')


def test_priority_classes(server):
    path = "/apis/scheduling.k8s.io/v1/priorityclasses"
    server.create(path, {"metadata": {"name": "five"}, "value": 5})
    namespace = server.namespace()
    assert create_pod(server, namespace, priorityClassName="five").json["spec"]["priority"] == 5
    answer = create_pod(server, namespace, name="q", priorityClassName="none")
    assert answer.message == 'pods "q" is forbidden: no PriorityClass with name none was found'
    answer = create_pod(server, namespace, name="q", priority=7)
    assert answer.code == 403 and "must not be provided in pod spec" in answer.message


def test_node_writes_its_own(server):
    nodes = "/api/v1/nodes"
    answer = server.call("POST", nodes, {"metadata": {"name": "n7"}}, **NODE)
    assert answer.code == 201
    assert answer.json["spec"]["taints"] == [{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]
    answer = server.call("POST", nodes, {"metadata": {"name": "n8"}}, **NODE)
    assert answer.message == 'nodes "n8" is forbidden: node "n7" is not allowed to modify node "n8"'
    namespace = server.namespace()
    answer = server.call("POST", f"/api/v1/namespaces/{namespace}/pods", server.pod(namespace, nodeName="n7"), **NODE)
    assert "can only create mirror pods" in answer.message
    server.create(f"/api/v1/namespaces/{namespace}/pods", server.pod(namespace))
    answer = server.call("DELETE", f"/api/v1/namespaces/{namespace}/pods/p", **NODE)
    assert answer.message.endswith('node "n7" can only delete pods with spec.nodeName set to itself')


def test_volumes_are_protected_while_in_use(server):
    namespace = server.namespace()
    claim = {"metadata": {"name": "c"}, "spec": {"accessModes": ["ReadWriteOnce"],
                                                  "resources": {"requests": {"storage": "1Gi"}}}}
    made = server.create(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims", claim)
    assert made["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]
