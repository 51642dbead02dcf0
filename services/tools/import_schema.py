#!/usr/bin/python3
"""Writes lib/api/schema/*.schema from upstream's types.go; run by hand at a new API level.

usage: import_schema.py GOPATH-SRC KUBE-AGGREGATOR-TYPES.GO OUT-DIR

GOPATH-SRC holds k8s.io/{api,apimachinery,apiextensions-apiserver}; kube-aggregator is packaged nowhere,
so its types.go is named apart. Imported are names, numbers, types, order and rules; no sentences. The
format is described in lib/api/schema/README.md.
"""
import json
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

API, META = "k8s.io/api", "k8s.io/apimachinery/pkg/apis/meta/v1"
APIEXTENSIONS = "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

# (group, version, folder, prefix of C structs); types are looked up by the folder's last two parts
PACKAGES = [
    ("meta.k8s.io", "v1", META, ""),
    ("-", "v1", f"{API}/core/v1", ""),
    ("apps", "v1", f"{API}/apps/v1", ""),
    ("batch", "v1", f"{API}/batch/v1", ""),
    ("autoscaling", "v1", f"{API}/autoscaling/v1", "autoscaling_v1_"),
    ("autoscaling", "v2", f"{API}/autoscaling/v2", ""),
    ("admission.k8s.io", "v1", f"{API}/admission/v1", ""),
    ("admissionregistration.k8s.io", "v1", f"{API}/admissionregistration/v1", "admission_"),
    ("apidiscovery.k8s.io", "v2", f"{API}/apidiscovery/v2", "discovery_"),
    ("apiextensions.k8s.io", "v1", APIEXTENSIONS, "crd_"),
    ("apiregistration.k8s.io", "v1", "aggregator", "apiregistration_"),
    ("authentication.k8s.io", "v1", f"{API}/authentication/v1", "authentication_"),
    ("authorization.k8s.io", "v1", f"{API}/authorization/v1", "authorization_"),
    ("certificates.k8s.io", "v1", f"{API}/certificates/v1", "certificates_"),
    ("coordination.k8s.io", "v1", f"{API}/coordination/v1", ""),
    ("discovery.k8s.io", "v1", f"{API}/discovery/v1", "slice_"),
    ("events.k8s.io", "v1", f"{API}/events/v1", "events_"),
    ("flowcontrol.apiserver.k8s.io", "v1", f"{API}/flowcontrol/v1", "flowcontrol_"),
    ("networking.k8s.io", "v1", f"{API}/networking/v1", ""),
    ("node.k8s.io", "v1", f"{API}/node/v1", "node_"),
    ("policy", "v1", f"{API}/policy/v1", ""),
    ("rbac.authorization.k8s.io", "v1", f"{API}/rbac/v1", "rbac_"),
    ("resource.k8s.io", "v1", f"{API}/resource/v1", "resource_"),
    ("scheduling.k8s.io", "v1", f"{API}/scheduling/v1", ""),
    ("storage.k8s.io", "v1", f"{API}/storage/v1", "storage_"),
]

# Go types that are values of their own here
VALUES = {
    "string": "string", "bool": "bool", "int32": "int32", "int64": "int64", "float64": "float64",
    "[]byte": "bytes", "interface{}": "any", "resource.Quantity": "quantity", "intstr.IntOrString": "intorstring",
    "runtime.RawExtension": "raw", "metav1.Time": "time", "metav1.MicroTime": "microtime",
    "metav1.Duration": "duration", "metav1.FieldsV1": "fields", "apiextensionsv1.JSON": "json",
}
PRIMITIVES = set(VALUES.values()) | {"byte"}
VALUE_STRUCTS = {"Time", "MicroTime", "Duration", "FieldsV1", "JSON", "TypeMeta", "Timestamp"}

# structs whose JSON is one of two shapes, by upstream's own marshallers
CUSTOM_JSON = {
    "JSONSchemaPropsOrArray": "or-array", "JSONSchemaPropsOrBool": "or-bool",
    "JSONSchemaPropsOrStringArray": "or-strings",
}

# kinds without TypeMeta that clients meet all the same
EXTRA_ROOTS = {"meta/v1": ["WatchEvent", "Condition", "LabelSelector", "GroupVersionKind"]}

# named types of apimachinery/pkg/types, filed under meta/v1
MACHINERY_ALIASES = ["UID", "NodeName"]


@dataclass
class Field:
    name: str
    number: str
    go_type: str
    flags: list


@dataclass
class Type:
    name: str
    kind: str                  # struct, kind, alias
    go_type: str = ""          # of an alias
    flags: list = field(default_factory=list)
    fields: list = field(default_factory=list)
    enum: list = field(default_factory=list)


def parse_tag(tag):
    return dict(re.findall(r'(\w+):"((?:[^"\\]|\\.)*)"', tag or ""))


def marker(comments, name):
    """Values of `+name=value`, in order; a marker without a value gives ''."""
    found = []
    for line in comments:
        m = re.match(rf"\+{re.escape(name)}(?:=(.*))?$", line)
        if m:
            found.append((m.group(1) or "").strip())
    return found


def validation_markers(comments):
    """Declarative validation: `+k8s:x=y`, bare or behind `+k8s:alpha(...)=`, without blanks."""
    for line in comments:
        m = re.match(r"\+k8s:(?:(?:alpha|beta)\([^)]*\)=\+k8s:)?(.*)$", line)
        if not m or re.match(r"[\w-]+-gen\b|alpha|beta", m.group(1)):
            continue
        text = re.sub(r"\s+", "", m.group(1)).replace("=+k8s:", ":")
        if not re.match(r"(listType|listMapKey|optional$|required$|deprecated|supportsSubresource|isSubresource|enum$)",
                        text):
            yield f"k8s:{text}"


def schema_markers(comments, shadowed=()):
    flags = []
    lists = [v for v in marker(comments, "listType") + marker(comments, "k8s:listType")]
    keys = marker(comments, "listMapKey") + marker(comments, "k8s:listMapKey")
    if lists:
        flags.append(f"list=map({','.join(keys)})" if lists[0] == "map" else f"list={lists[0]}")
    for name, flag in (("mapType", "map"), ("structType", "struct")):
        flags += [f"{flag}={v}" for v in marker(comments, name)[:1]]
    return flags + [f for f in validation_markers(comments) if f not in shadowed]


class Package:
    def __init__(self, group, version, folder, prefix):
        self.group, self.version, self.folder, self.prefix = group, version, folder, prefix
        self.name = "core" if group == "-" else group.split(".")[0]
        self.key = f"{self.name}/{version}"
        self.types, self.constants, self.imports = {}, {}, {}

    def read(self, text):
        self.imports.update({m[0] or m[1].split("/")[-1]: m[1]
                             for m in re.findall(r'^(?:import|\t)\s*(?:(\w+) )?"([\w./-]+)"', text, re.M)})
        for m in re.finditer(r'^\t(\w+)\s+(\w+)\s*=\s*"([^"]*)"', text, re.M):
            self.constants[m[1]] = (m[2], m[3])
        lines, comments, i = text.split("\n"), [], 0
        while i < len(lines):
            line = lines[i]
            if m := re.match(r"^//\s?(.*)", line):
                comments.append(m[1].strip())
            elif m := re.match(r"^type (\w+) struct ?\{\}$", line):
                self.types[m[1]] = Type(m[1], "struct", flags=schema_markers(comments))
                comments = []
            elif m := re.match(r"^type (\w+) struct ?\{$", line):
                i = self.read_struct(m[1], comments, lines, i + 1)
                comments = []
            elif m := re.match(r"^type (\w+) ([^=({]\S*)", line):
                flags = ["enum"] if marker(comments, "enum") else []
                flags += ["message"] if marker(comments, "protobuf.nullable") else []
                self.types[m[1]] = Type(m[1], "alias", m[2], schema_markers(comments) + flags)
                comments = []
            elif line.strip():
                comments = []
            i += 1

    def read_struct(self, name, comments, lines, i):
        t = Type(name, "struct", flags=schema_markers(comments))
        field_comments = []
        while not lines[i].startswith("}"):
            line = lines[i].strip()
            i += 1
            if line.startswith("//"):
                field_comments.append(line[2:].strip())
                continue
            m = re.match(r"(?:(\w+)\s+)?([\w.*\[\]{}]+)\s*(?:`(.*)`)?\s*(?://.*)?$", line)
            if m and line:
                self.add_field(t, m[1], m[2], parse_tag(m[3]), field_comments)
            field_comments = [] if line else field_comments
        self.types[name] = t
        return i

    def add_field(self, t, go_name, go_type, tags, comments):
        json_tag = tags.get("json", "").split(",")
        pb = tags.get("protobuf", "").split(",")
        if go_type.split(".")[-1] == "TypeMeta" and not go_name:
            t.kind = "kind"
            return
        if json_tag[0] == "-" and len(pb) < 2:
            return
        inline = "inline" in json_tag[1:] or (not go_name and not json_tag[0])
        pb_name = next((p[5:] for p in pb if p.startswith("name=")), "")
        name = json_tag[0] if json_tag[0] not in ("", "-") else pb_name
        if not name:
            base = go_name or go_type.split(".")[-1]
            name = base[0].lower() + base[1:]
        flags = [f for f in json_tag[1:] if f in ("omitempty", "omitzero")] + (["inline"] if inline else [])
        t.fields.append(Field(name, pb[1] if len(pb) > 1 else "-", go_type,
                              flags + self.rules(tags, comments, flags) + ([f"pb={pb_name}"] if pb_name not in ("", name) else [])))

    def rules(self, tags, comments, json_flags):
        flags = []
        omitted = bool(json_flags)
        if marker(comments, "optional") and not omitted:
            flags.append("optional")
        if (marker(comments, "required") or marker(comments, "k8s:required")) and omitted:
            flags.append("required")
        for value in marker(comments, "default")[:1]:
            ref = re.match(r"ref\((?:.*\.)?(\w+)\)", value)
            value = json.dumps(self.constants[ref[1]][1]) if ref else value
            flags.append("default=" + json.dumps(json.loads(value), separators=(",", ":")))
        if "patchStrategy" in tags:
            flags.append("patch=" + tags["patchStrategy"])
        if "patchMergeKey" in tags:
            flags.append("key=" + tags["patchMergeKey"])
        return flags + schema_markers(comments)


class Importer:
    def __init__(self):
        self.packages = {}
        self.by_path = {}

    def add(self, package):
        self.packages[package.key] = package
        self.by_path[package.folder] = package

    def resolve(self, package, go_type):
        """Go type as written in `package` -> type of the schema text, and the names it needs."""
        if go_type.startswith("*"):
            inner, needs = self.resolve(package, go_type[1:])
            return "*" + inner, needs
        if go_type in VALUES:
            return VALUES[go_type], []
        if go_type.startswith("[]"):
            inner, needs = self.resolve(package, go_type[2:])
            return "[]" + inner, needs
        if m := re.match(r"map\[([\w.]+)\](.*)", go_type):
            key, key_needs = self.resolve(package, m[1])
            inner, needs = self.resolve(package, m[2])
            return f"map[{key}]{inner}", key_needs + needs
        return self.resolve_name(package, go_type)

    def resolve_name(self, package, name):
        where = package
        if "." in name:
            alias, name = name.split(".")
            path = package.imports[alias]
            if path.endswith("apimachinery/pkg/types"):
                path = META
            where = self.by_path.get(path) or sys.exit(f"{package.key}: {alias}.{name}: {path} is not imported")
        value = {META: "metav1.", APIEXTENSIONS: "apiextensionsv1."}.get(where.folder, "?") + name
        if value in VALUES:
            return VALUES[value], []
        if name not in where.types:
            sys.exit(f"{package.key}: no type {name} in {where.key}")
        text = name if where is package else f"{where.key}.{name}"
        return text, [(where, name)]

    def reachable(self):
        todo = [(p, n) for p in self.packages.values() for n, t in p.types.items() if t.kind == "kind"]
        todo += [(self.packages[k], n) for k, names in EXTRA_ROOTS.items() for n in names]
        seen = set()
        while todo:
            package, name = todo.pop()
            if (package.key, name) in seen:
                continue
            seen.add((package.key, name))
            t = package.types[name]
            for go_type in [t.go_type] if t.kind == "alias" else [f.go_type for f in t.fields]:
                todo += self.resolve(package, go_type)[1]
        return seen

    def write(self, folder):
        seen = self.reachable()
        for package in self.packages.values():
            body, used = [], set()
            for name, t in package.types.items():
                if (package.key, name) in seen:
                    body += self.type_lines(package, t, used)
            used.discard(package.key)
            head = [f"group {package.group}", f"version {package.version}"]
            head += [f"prefix {package.prefix}"] if package.prefix else []
            head += [f"use {' '.join(sorted(used))}"] if used else []
            Path(folder, f"{package.name}_{package.version}.schema").write_text("\n".join(head + body) + "\n")

    def type_lines(self, package, t, used):
        if t.kind == "alias":
            go_type, needs = self.resolve(package, t.go_type)
            flags = [f for f in t.flags if f != "enum"]
            lines = ["", " ".join(["alias", t.name, go_type] + flags)]
            values = [v for typ, v in package.constants.values() if typ == t.name]
            if "enum" in t.flags:
                lines.append("\tenum " + " ".join(v if re.fullmatch(r"[^\s\"]+", v) else json.dumps(v) for v in values))
            used.update(p.key for p, _ in needs)
            return lines
        flags = t.flags + ([f"json={CUSTOM_JSON[t.name]}"] if t.name in CUSTOM_JSON else [])
        lines = ["", " ".join([t.kind, t.name] + flags)]
        for f in t.fields:
            go_type, needs = self.resolve(package, f.go_type)
            used.update(p.key for p, _ in needs)
            lines.append("\t" + " ".join([f.name, f.number, go_type] + f.flags))
        return lines


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    src, aggregator, out = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    importer = Importer()
    for group, version, folder, prefix in PACKAGES:
        package = Package(group, version, folder, prefix)
        files = [aggregator] if folder == "aggregator" else sorted((src / folder).glob("*.go"))
        for file in files:
            if not re.search(r"_test\.go$|^zz_|generated|swagger", file.name):
                package.read(file.read_text())
        if folder == META:
            package.types.update({n: Type(n, "alias", "string", [f"go=types.{n}"]) for n in MACHINERY_ALIASES})
        importer.add(package)
    importer.write(out)


if __name__ == "__main__":
    main()
