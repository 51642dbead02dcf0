"""Names, numbers and types of the schema text against upstream's generated.proto."""
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SCHEMA = ROOT / "services/lib/api/schema"
PACKAGES = ["golang-k8s-api-dev", "golang-k8s-apimachinery-dev", "golang-k8s-apiextensions-apiserver-dev"]
PROTO = {"float64": "double", "quantity": "Quantity", "time": "Time", "microtime": "MicroTime", "duration": "Duration",
         "intorstring": "IntOrString", "raw": "RawExtension", "fields": "FieldsV1", "json": "JSON"}
FOLDER = {"core": "api/core", "meta": "apimachinery/pkg/apis/meta",
          "apiextensions": "apiextensions-apiserver/pkg/apis/apiextensions"}
NO_PROTO = {"apiregistration_v1"}  # of kube-aggregator, which Debian does not have


class Module:
    """One file of schema text: {type: {protobuf name: (number, type as written)}} and aliases."""

    def __init__(self, path):
        self.messages, self.aliases, current = {}, {}, None
        for line in path.read_text().splitlines():
            words = line.split()
            if line.startswith(("struct ", "kind ")):
                current = self.messages.setdefault(words[1], {})
            elif line.startswith("alias "):
                self.aliases[words[1]], current = (words[2], "message" in words), None
            elif line.startswith("\t") and current is not None and words[1] != "-":
                name = next((word[3:] for word in words if word.startswith("pb=")), words[0])
                current[name] = (int(words[1]), words[2])


def modules():
    return {path.stem: Module(path) for path in SCHEMA.glob("*.schema")}


def proto_type(all_modules, module, text):
    """As generated.proto would say it: (repeated, type)."""
    if text.startswith("*"):
        return proto_type(all_modules, module, text[1:])
    if text.startswith("[]"):
        return True, proto_type(all_modules, module, text[2:])[1]
    mapped = re.fullmatch(r"map\[[^]]*\](.*)", text)
    if mapped:
        return False, f"map<string, {proto_type(all_modules, module, mapped[1])[1]}>"
    if "/" in text:
        other, name = text.rsplit(".", 1)
        return proto_type(all_modules, other.replace("/", "_"), name)
    target, message = all_modules[module].aliases.get(text, (None, False))
    if target and not message:
        return proto_type(all_modules, module, target)
    return False, PROTO.get(text, text)


def read_proto(path):
    """{message: {name: (number, (repeated, type without package))}}"""
    messages, current = {}, None
    for line in path.read_text().splitlines():
        opened = re.match(r"message (\w+) \{", line)
        field = re.match(r"  (?:(optional|repeated|required) )?(map<string, [\w.]+>|[\w.]+) (\w+) = (\d+);", line)
        if opened:
            current = messages.setdefault(opened[1], {})
        elif field and current is not None:
            kind = re.sub(r"[\w.]*\.(\w+)", r"\1", field[2])
            current[field[3]] = (int(field[4]), (field[1] == "repeated", kind))
    return messages


@pytest.fixture(scope="module")
def sources():
    folder = ROOT / "out/test/proto"
    for package in PACKAGES:
        subprocess.run([ROOT / "rootfs/packages/fetch.py", "debs", "--class", "test", package,
                        "--unpack", folder / package], check=True)

    def find(group, version):
        inside = f"usr/share/gocode/src/k8s.io/{FOLDER.get(group, f'api/{group}')}/{version}/generated.proto"
        return next(path for path in (folder / package / inside for package in PACKAGES) if path.exists())

    return find


@pytest.mark.parametrize("name", sorted(path.stem for path in SCHEMA.glob("*.schema") if path.stem not in NO_PROTO))
def test_messages(sources, name):
    ours, upstream = modules(), read_proto(sources(*name.split("_")))
    compared = 0
    for message, fields in ours[name].messages.items():
        if not fields and message not in upstream:  # Table and what it holds are JSON only
            continue
        have = {field: (number, proto_type(ours, name, text)) for field, (number, text) in fields.items()}
        assert have == upstream[message], message
        compared += 1
    assert compared > 0
