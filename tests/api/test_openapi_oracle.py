"""The schema text against upstream's own OpenAPI document, where a copy of that lies beside the checkout."""
import functools
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
DOCUMENT = ROOT.parent / "shared/ref/openapi-v2-1.36.json"
PREFIXES = {
    "meta.k8s.io": "io.k8s.apimachinery.pkg.apis.meta.v1.",
    "apiextensions.k8s.io": "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.",
    "apiregistration.k8s.io": "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.",
}

pytestmark = pytest.mark.skipif(not DOCUMENT.exists(), reason="no copy of upstream's OpenAPI document")


def read_schema():
    """{(file, type): [(name, go type, attributes)]} and {file: (group, version)}, from the text."""
    types, packages = {}, {}
    for path in sorted((ROOT / "services/lib/api/schema").glob("*.schema")):
        file = path.stem.replace("_", "/")
        current = None
        for line in path.read_text().splitlines():
            words = line.split()
            if line.startswith(("group ", "version ")):
                packages.setdefault(file, {})[words[0]] = words[1]
            elif line.startswith(("struct ", "kind ")):
                current = types[file, words[1]] = []
                if words[0] == "kind":
                    current += [("kind", "string", []), ("apiVersion", "string", [])]
            elif line.startswith("alias "):
                current = None
            elif line.startswith("\t") and current is not None:
                current.append((words[0], words[2], words[3:]))
    return types, packages


TYPES, PACKAGES = read_schema() if DOCUMENT.exists() else ({}, {})


def properties(file, name):
    """{JSON name: attributes}, inline structs in their place."""
    found = {}
    for field, go_type, attributes in TYPES[file, name]:
        if "inline" in attributes:
            where, _, inner = go_type.rpartition(".")
            found |= properties(where or file, inner)
        else:
            found[field] = dict(a.partition("=")[::2] for a in attributes)
    return found


def definition_of(file, name):
    package = PACKAGES[file]
    group = "core" if package["group"] == "-" else package["group"].split(".")[0]
    prefix = PREFIXES.get(package["group"], f"io.k8s.api.{group}.{package['version']}.")
    return definitions().get(prefix + name)


@functools.cache
def definitions():
    return json.loads(DOCUMENT.read_text())["definitions"]


def rules_in_document(schema):
    rules = {}
    if "x-kubernetes-list-type" in schema:
        keys = ",".join(schema.get("x-kubernetes-list-map-keys", []))
        rules["list"] = f"map({keys})" if keys else schema["x-kubernetes-list-type"]
    if "x-kubernetes-map-type" in schema and "additionalProperties" in schema:
        rules["map"] = schema["x-kubernetes-map-type"]
    for theirs, ours in (("x-kubernetes-patch-strategy", "patch"), ("x-kubernetes-patch-merge-key", "key")):
        if theirs in schema:
            rules[ours] = schema[theirs]
    return rules


def documented():
    return [(file, name) for file, name in TYPES if (definition_of(file, name) or {}).get("properties")]


@pytest.mark.parametrize("file,name", documented(), ids=lambda v: v)
def test_type_is_upstreams(file, name):
    wanted, have = definition_of(file, name)["properties"], properties(file, name)
    assert set(have) == set(wanted)
    for field, attributes in have.items():
        ours = {k: v for k, v in attributes.items() if k in ("list", "map", "patch", "key")}
        assert ours == rules_in_document(wanted[field]), field


def test_nearly_all_of_the_document_is_covered():
    """What is left over belongs to a version that is not served by default, and to /version."""
    names = {re.sub(r"^.*\.(\w+\.v\d+\.\w+)$", r"\1", d) for d, s in definitions().items()
             if s.get("properties") and not re.search(r"\.v\d+(alpha|beta)\d+\.", d)}
    ours = set()
    for file, name in documented():
        package = PACKAGES[file]
        group = {"-": "core", "meta.k8s.io": "meta"}.get(package["group"], package["group"].split(".")[0])
        ours.add(f"{group}.{package['version']}.{name}")
    assert sorted(names - ours) == ["io.k8s.apimachinery.pkg.version.Info", "meta.v1.GroupResource"]
