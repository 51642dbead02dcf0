"""kubectl autoscale, and how autoscalers are shown, without metrics."""
import json


def test_autoscale(kubectl):
    kubectl("create deployment web --image=registry.test/web:1 --replicas=1")
    said = kubectl("autoscale deployment web --min=2 --max=5 --cpu-percent=70")
    assert "horizontalpodautoscaler.autoscaling/web autoscaled" in said
    line = kubectl("get hpa web --no-headers").split()
    assert line[:6] == ["web", "Deployment/web", "cpu:", "<unknown>/70%", "2", "5"]
    assert kubectl("get hpa.v1.autoscaling web --no-headers").split()[:6] == line[:6]
    spec = json.loads(kubectl("get hpa web -o json"))["spec"]
    assert spec["metrics"][0]["resource"]["target"] == {"type": "Utilization", "averageUtilization": 70}
    told = kubectl("describe hpa web")
    assert "Min replicas:" in told and "resource cpu on pods  (as a percentage of request):  <unknown> / 70%" in told
