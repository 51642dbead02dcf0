"""A custom resource of a test's own."""
import uuid

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
KEEPS = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


class Custom:
    """A definition of a group of its own, established, and the paths of what it defines."""

    def __init__(self, api, schema, versions=("v1",), **version):
        self.group = f"t{uuid.uuid4().hex[:8]}.example.io"
        self.api, self.name, self.path = api, f"boats.{self.group}", f"{CRDS}/boats.{self.group}"
        rows = [{"name": v, "served": True, "storage": v == versions[0],
                 "schema": {"openAPIV3Schema": schema}, **version} for v in versions]
        self.body = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
                     "metadata": {"name": self.name},
                     "spec": {"group": self.group, "scope": "Namespaced", "versions": rows,
                              "names": {"plural": "boats", "kind": "Boat", "shortNames": ["bo"]}}}
        api.post(CRDS, self.body)
        api.wait_one(CRDS, self.name, is_established)

    def objects(self, version="v1", namespace="default"):
        return f"/apis/{self.group}/{version}/namespaces/{namespace}/boats"

    def boat(self, name, version="v1", **members):
        return {"apiVersion": f"{self.group}/{version}", "kind": "Boat", "metadata": {"name": name}, **members}

    def make(self, name, **members):
        return self.api.post(self.objects(), self.boat(name, **members))


def is_established(crd):
    return any(c["type"] == "Established" and c["status"] == "True" for c in crd.get("status", {}).get("conditions") or [])
