"""Horizontal pod autoscaling, after apps of test/e2e/autoscaling: without the metrics APIs, and with a fake of them."""
import pytest
from cluster import API, running
from controllers_api import Api, Kubelets, Refused, apps, core, make_node, now, workload
from metrics_proxy import MetricsProxy

V1, V2 = "/apis/autoscaling/v1", "/apis/autoscaling/v2"
FLAGS = ("--kube-api-qps=500", "--kube-api-burst=1000", "--node-monitor-grace-period=1h",
         "--horizontal-pod-autoscaler-sync-period=1s", "--horizontal-pod-autoscaler-downscale-stabilization=2s",
         "--horizontal-pod-autoscaler-cpu-initialization-period=0s",
         "--horizontal-pod-autoscaler-initial-readiness-delay=0s")


@pytest.fixture(scope="module")
def proxied(tmp_path_factory):
    with running(tmp_path_factory.mktemp("autoscaling") / "cp", API) as plane:
        proxy = MetricsProxy(plane, plane.folder / "controller-manager.conf")
        plane.start_one("kube-controller-manager", (*FLAGS, f"--kubeconfig={proxy.kubeconfig}"))
        yield plane, proxy
        plane.processes["kube-controller-manager"].stop()
        proxy.close()


@pytest.fixture(scope="module")
def api(proxied):
    client = Api(proxied[0].kubeconfig)
    make_node(client, "node-a")
    kubelets = Kubelets(client)
    kubelets.start()
    yield client
    kubelets.stopping = True


@pytest.fixture
def metrics(proxied):
    proxied[1].answers = {}
    proxied[1].asked = []
    return proxied[1]


def hpas(ns, name="", version=V2):
    return f"{version}/namespaces/{ns}/horizontalpodautoscalers" + (f"/{name}" if name else "")


def make(api, ns, metrics=None, name="web", target="web", **spec):
    return api.create(hpas(ns), {
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": name},
        "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": target}, "maxReplicas": 5,
                 **({"metrics": metrics} if metrics else {}), **spec}})


def deploy(api, ns, replicas, name="web"):
    body = workload("Deployment", name, replicas)
    body["spec"]["template"]["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "100m", "memory": "64Mi"}}
    for container in body["spec"]["template"]["spec"]["containers"]:
        container["name"] = "c"
    api.create(apps(ns, "deployments"), body)
    return running_pods(api, ns, replicas, name)


def running_pods(api, ns, count, name="web"):
    def holds(all):
        mine = [pod for pod in all.values() if pod["metadata"]["labels"]["app"] == name]
        return len(mine) == count and all_run(mine)
    return sorted(api.until(core(ns, "pods"), holds))


def all_run(pods):
    return all(pod["status"]["phase"] == "Running" for pod in pods)


def resource(name="cpu", **target):
    return {"type": "Resource", "resource": {"name": name, "target": target}}


def utilization(percent):
    return resource(type="Utilization", averageUtilization=percent)


def pod_metrics(ns, usage):
    """What metrics-server says, its usage of cpu by pod."""
    return {f"/apis/metrics.k8s.io/v1beta1/namespaces/{ns}/pods": {
        "kind": "PodMetricsList", "apiVersion": "metrics.k8s.io/v1beta1", "metadata": {}, "items": [
            {"metadata": {"name": name, "namespace": ns}, "timestamp": now(), "window": "30s",
             "containers": [{"name": "c", "usage": {"cpu": cpu, "memory": "32Mi"}}]} for name, cpu in usage.items()]}}


def values(group, *items):
    return {"kind": "MetricValueList", "apiVersion": group, "metadata": {}, "items": list(items)}


def condition(hpa, kind):
    found = [c for c in hpa.get("status", {}).get("conditions", []) if c["type"] == kind]
    return (found[0]["status"], found[0]["reason"]) if found else None


def message(hpa, kind):
    return next(c["message"] for c in hpa["status"]["conditions"] if c["type"] == kind)


def becomes(api, ns, kind, wanted, name="web"):
    return api.until(hpas(ns), lambda all: condition(all.get(name, {}), kind) == wanted)[name]


def replicas(api, ns, count, name="web"):
    return api.until(apps(ns, "deployments"), lambda all: all[name]["spec"]["replicas"] == count)[name]


def event(api, ns, reason):
    return next(e for e in api.until(core(ns, "events"), lambda all: any(
        e["reason"] == reason for e in all.values())).values() if e["reason"] == reason)


def test_without_a_metrics_api(api, ns, metrics):
    deploy(api, ns, 1)
    make(api, ns)
    found = becomes(api, ns, "ScalingActive", ("False", "FailedGetResourceMetric"))
    why = ("unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server "
           "could not find the requested resource (get pods.metrics.k8s.io)")
    assert message(found, "ScalingActive") == (
        f"the HPA was unable to compute the replica count: failed to get cpu utilization: {why}")
    assert condition(found, "AbleToScale") == ("True", "SucceededGetScale")
    assert found["status"]["currentReplicas"] == 1 and found["status"]["currentMetrics"] == [{"type": ""}]
    told = event(api, ns, "FailedComputeMetricsReplicas")
    assert told["type"] == "Warning" and told["source"]["component"] == "horizontal-pod-autoscaler"
    assert told["message"] == ("invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource "
                               f"metric value: failed to get cpu utilization: {why}")


def test_without_a_target(api, ns, metrics):
    make(api, ns)
    found = becomes(api, ns, "AbleToScale", ("False", "FailedGetScale"))
    assert message(found, "AbleToScale") == ("the HPA controller was unable to get the target's current scale: "
                                             'deployments.apps "web" not found')
    make(api, ns, name="odd", scaleTargetRef={"apiVersion": "example.com/v1", "kind": "Odd", "name": "x"})
    found = becomes(api, ns, "AbleToScale", ("False", "FailedGetScale"), "odd")
    assert message(found, "AbleToScale").endswith('no matches for kind "Odd" in group "example.com"')


def test_bounds_need_no_metrics(api, ns, metrics):
    deploy(api, ns, 1)
    make(api, ns, minReplicas=3)
    replicas(api, ns, 3)
    told = event(api, ns, "SuccessfulRescale")
    assert told["message"] == "New size: 3; reason: Current number of replicas below Spec.MinReplicas"
    api.patch(hpas(ns, "web"), {"spec": {"minReplicas": 1, "maxReplicas": 2}})
    replicas(api, ns, 2)
    api.patch(apps(ns, "deployments", "web"), {"spec": {"replicas": 0}})
    becomes(api, ns, "ScalingActive", ("False", "ScalingDisabled"))


def test_scales_up_and_down_by_cpu(api, ns, metrics):
    pods = deploy(api, ns, 2)
    metrics.answers = pod_metrics(ns, dict.fromkeys(pods, "100m"))
    make(api, ns, [utilization(50)])
    replicas(api, ns, 4)
    told = event(api, ns, "SuccessfulRescale")
    assert told["message"] == "New size: 4; reason: cpu resource utilization (percentage of request) above target"
    pods = running_pods(api, ns, 4)
    metrics.answers = pod_metrics(ns, dict.fromkeys(pods, "50m"))
    found = api.until(hpas(ns), lambda all: all["web"]["status"].get("currentMetrics") == [
        {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 50,
                                                                     "averageValue": "50m"}}}])["web"]
    assert condition(found, "ScalingActive") == ("True", "ValidMetricFound")
    assert "labelSelector=app%3Dweb" in metrics.asked[-1]
    metrics.answers = pod_metrics(ns, dict.fromkeys(pods, "10m"))
    replicas(api, ns, 1)
    api.until(hpas(ns), lambda all: all["web"]["status"]["desiredReplicas"] == 1 and all["web"]["status"]["lastScaleTime"])


def test_is_limited_by_its_maximum_and_by_rates(api, ns, metrics):
    pods = deploy(api, ns, 1)
    metrics.answers = pod_metrics(ns, dict.fromkeys(pods, "1"))
    make(api, ns, [utilization(50)], maxReplicas=3)
    found = becomes(api, ns, "ScalingLimited", ("True", "TooManyReplicas"))
    replicas(api, ns, 3)
    assert found["status"]["desiredReplicas"] == 3
    pods = deploy(api, ns, 1, "slow")
    metrics.answers = pod_metrics(ns, dict.fromkeys(pods, "1"))
    make(api, ns, [utilization(50)], "slow", "slow", behavior={
        "scaleUp": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 600}]}})
    becomes(api, ns, "ScalingLimited", ("True", "ScaleUpLimit"), "slow")
    replicas(api, ns, 2, "slow")


def test_container_resource_and_raw_values(api, ns, metrics):
    pods = deploy(api, ns, 1)
    metrics.answers = pod_metrics(ns, dict.fromkeys(pods, "100m"))
    make(api, ns, [{"type": "ContainerResource", "containerResource": {
        "name": "memory", "container": "c", "target": {"type": "AverageValue", "averageValue": "16Mi"}}}])
    replicas(api, ns, 2)
    shown = api.until(hpas(ns), lambda all: all["web"]["status"].get("currentMetrics"))["web"]["status"]
    assert shown["currentMetrics"][0]["containerResource"] == {
        "container": "c", "name": "memory", "current": {"averageValue": "32Mi"}}


def test_custom_and_external_metrics(api, ns, metrics):
    pods = deploy(api, ns, 1)
    group, base = "custom.metrics.k8s.io", f"/apis/custom.metrics.k8s.io/v1beta2/namespaces/{ns}"
    external = f"/apis/external.metrics.k8s.io/v1beta1/namespaces/{ns}/queue"
    metrics.answers = {
        f"/apis/{group}": {"kind": "APIGroup", "name": group, "versions": [
            {"groupVersion": f"{group}/{v}", "version": v} for v in ("v1beta1", "v1beta2")]},
        f"{base}/pods/*/hits": values(f"{group}/v1beta2", *(
            {"describedObject": {"kind": "Pod", "name": name}, "metric": {"name": "hits"}, "timestamp": now(),
             "value": "20"} for name in pods)),
        f"{base}/services/front/load": values(f"{group}/v1beta2", {
            "describedObject": {"kind": "Service", "name": "front"}, "timestamp": now(), "value": "3"}),
        external: values("external.metrics.k8s.io/v1beta1", *(
            {"metricName": "queue", "timestamp": now(), "value": value} for value in ("100", "200")))}
    make(api, ns, [
        {"type": "Pods", "pods": {"metric": {"name": "hits"}, "target": {"type": "AverageValue",
                                                                        "averageValue": "10"}}},
        {"type": "Object", "object": {"describedObject": {"apiVersion": "v1", "kind": "Service", "name": "front"},
                                      "metric": {"name": "load"}, "target": {"type": "Value", "value": "1"}}},
        {"type": "External", "external": {"metric": {"name": "queue", "selector": {"matchLabels": {"a": "b"}}},
                                          "target": {"type": "AverageValue", "averageValue": "75"}}}])
    replicas(api, ns, 4)
    status = api.until(hpas(ns), lambda all: all["web"]["status"].get("currentMetrics"))["web"]["status"]
    assert [m["type"] for m in status["currentMetrics"]] == ["Pods", "Object", "External"]
    assert status["currentMetrics"][0]["pods"]["current"] == {"averageValue": "20"}
    assert status["currentMetrics"][1]["object"]["current"] == {"value": "3"}
    assert any(path == f"{external}?labelSelector=a%3Db" for path in metrics.asked)


def test_pods_of_two_autoscalers(api, ns, metrics):
    deploy(api, ns, 1)
    for name in ("one", "two"):
        make(api, ns, name=name)
    found = [becomes(api, ns, "ScalingActive", ("False", "AmbiguousSelector"), name) for name in ("one", "two")]
    for one in found:
        text = message(one, "ScalingActive")
        assert text.startswith("pods by selector app=web are controlled by multiple HPAs: [")
        assert f"{ns}/one" in text and f"{ns}/two" in text


def test_v1_keeps_in_annotations_what_it_has_no_field_for(api, ns, metrics):
    memory = resource("memory", type="AverageValue", averageValue="10Mi")
    behavior = {"scaleDown": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}]}}
    make(api, ns, [utilization(40), memory], behavior=behavior)
    old = api.get(hpas(ns, "web", V1))
    notes = old["metadata"]["annotations"]
    prefix = "autoscaling.alpha.kubernetes.io/"
    assert old["apiVersion"] == "autoscaling/v1" and old["spec"]["targetCPUUtilizationPercentage"] == 40
    assert notes[prefix + "metrics"] == (
        '[{"type":"Resource","resource":{"name":"memory","targetAverageValue":"10Mi"}}]')
    assert '"ScaleDown":{' in notes[prefix + "behavior"] and '"PeriodSeconds":60' in notes[prefix + "behavior"]
    spec = api.get(hpas(ns, "web"))["spec"]
    old["spec"]["targetCPUUtilizationPercentage"] = 60
    old["metadata"].pop("resourceVersion")
    api.put(hpas(ns, "web", V1), old)
    after = api.get(hpas(ns, "web"))
    assert after["spec"] == {**spec, "metrics": [memory, utilization(60)]}
    assert not after["metadata"].get("annotations")


def test_v1_alone(api, ns, metrics):
    api.create(hpas(ns, version=V1), {
        "apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "old"},
        "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"}, "maxReplicas": 2}})
    assert api.get(hpas(ns, "old"))["spec"]["metrics"] == [utilization(80)]


def refused(api, ns, **spec):
    with pytest.raises(Refused) as answer:
        make(api, ns, **spec)
    assert answer.value.status == 422
    return answer.value.body["message"]


def test_what_is_refused(api, ns, metrics):
    assert "spec.maxReplicas: Invalid value: 1: must be greater than or equal to `minReplicas`" in refused(
        api, ns, minReplicas=2, maxReplicas=1)
    assert ('spec.metrics[0].resource.target.averageUtilization: Required value: must set either a target raw value '
            "or a target utilization") in refused(api, ns, metrics=[resource(type="Utilization")])
    assert "spec.metrics[0].pods: Required value: must populate information for the given metric source" in refused(
        api, ns, metrics=[{"type": "Pods"}])
    assert "spec.behavior.scaleUp.policies[0].value: Invalid value: 0: must be greater than zero" in refused(
        api, ns, behavior={"scaleUp": {"policies": [{"type": "Pods", "value": 0, "periodSeconds": 1}]}})
    assert "spec.behavior.scaleDown.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal" in (
        refused(api, ns, behavior={"scaleDown": {"stabilizationWindowSeconds": 3601}}))
