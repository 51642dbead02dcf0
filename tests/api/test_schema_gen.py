"""What the generator says of schema text that is wrong: FILE:LINE: TEXT."""
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
HEAD = "group example.io\nversion v1\n"

WRONG = [
    ("struct A\n", 1, "group and version come first"),
    (HEAD + "prefix\n", 3, "prefix wants a value"),
    (HEAD + "boat A B\n", 3, "boat is not one of group, version, prefix, use, alias, struct, kind"),
    (HEAD + "\ta 1 string\n", 3, "an indented line belongs to an alias, struct or kind"),
    (HEAD + "struct A\n\ta 1\n", 4, "a field is: name, number, type, attributes"),
    (HEAD + "struct A\n\ta x string\n", 4, "x is no protobuf number"),
    (HEAD + "struct A\n\ta 70000 string\n", 4, "70000 is no protobuf number"),
    (HEAD + "struct A\n\ta 1 string\n\ta 2 string\n", 5, "a is declared twice"),
    (HEAD + "struct A\n\ta 1 string big\n", 4, "big is no attribute of a field"),
    (HEAD + "struct A\n\ta 1 Boat\n", 4, "Boat is not declared, nor in a file that is used"),
    (HEAD + "struct A\n\ta 1 meta/v1.ObjectMeta\n", 4, "meta/v1.ObjectMeta is not declared, nor in a file that is used"),
    (HEAD + "struct A\nstruct A\n", 4, "A is declared twice"),
    (HEAD + "struct A\n\ta 1 A\n", 3, "A contains itself; use a pointer"),
    (HEAD + "struct A\n\ta 1 *string inline\n", 4, "only a struct can be inline"),
    (HEAD + "struct A\n\ta 1 map[string]bool\n", 4, "lib/schema/type.h has no entry for maps of bool"),
    (HEAD + "alias A []string\nstruct B\n\ta 1 []A\n", 5, "A is a list or map already"),
    (HEAD + "alias A\n", 3, "alias A wants a type"),
    (HEAD + "alias A string big\n", 3, "big is not known here"),
]

WRONG_DEFAULTS = [
    ("set A.a 1\n", 1, "set A.a 1 is not: for MODULE, set TYPE.FIELD JSON, call TYPE FUNCTION, milli TYPE"),
    ("for boat/v1\n", 1, "boat/v1 is no file of the schema text"),
    ("for example/v1\nset B.a 1\n", 2, "B is not declared there"),
    ("for example/v1\nset A.b 1\n", 2, "b is no field of this type"),
    ("for example/v1\nput A.a 1\n", 2, "put is not one of for, set, call, milli"),
]


def generate(folder, *files):
    out = folder / "out"
    out.mkdir()
    return subprocess.run([ROOT / "out/schema_gen", out, *files], capture_output=True, text=True)


@pytest.mark.parametrize("text,line,message", WRONG)
def test_schema(tmp_path, text, line, message):
    file = tmp_path / "example_v1.schema"
    file.write_text(text)
    run = generate(tmp_path, file)
    assert (run.returncode, run.stderr) == (1, f"{file}:{line}: {message}\n")


@pytest.mark.parametrize("text,line,message", WRONG_DEFAULTS)
def test_defaults(tmp_path, text, line, message):
    schema, file = tmp_path / "example_v1.schema", tmp_path / "example.defaults"
    schema.write_text(HEAD + "struct A\n\ta 1 string\n")
    file.write_text(text)
    run = generate(tmp_path, schema, file)
    assert (run.returncode, run.stderr) == (1, f"{file}:{line}: {message}\n")


def test_two_files_may_not_share_a_struct(tmp_path):
    one, other = tmp_path / "a_v1.schema", tmp_path / "b_v1.schema"
    one.write_text("group a\nversion v1\nstruct Boat\n")
    other.write_text("group b\nversion v1\nstruct Boat\n")
    run = generate(tmp_path, one, other)
    assert run.stderr == f"{other}:3: struct boat is in {one} too; give a prefix\n"


def test_what_would_not_change_is_not_written(tmp_path):
    file = tmp_path / "example_v1.schema"
    file.write_text(HEAD + "struct A\n\ta 1 string\n")
    assert generate(tmp_path, file).returncode == 0
    header = tmp_path / "out/example_v1.h"
    before = header.stat().st_mtime_ns
    subprocess.run([ROOT / "out/schema_gen", tmp_path / "out", file], check=True)
    assert header.stat().st_mtime_ns == before


@pytest.mark.parametrize("json_name,c_name", [
    ("podIPs", "pod_ips"), ("hostPID", "host_pid"), ("httpGet", "http_get"), ("jSONSchemas", "json_schemas"),
    ("continue", "continue_"), ("default", "default_"), ("bool", "bool_"), ("$ref", "ref"), ("clusterIP", "cluster_ip"),
    ("x-kubernetes-list-type", "x_kubernetes_list_type"), ("fieldsV1", "fields_v1"), ("Port", "port"),
    ("nonResourceURLs", "non_resource_urls"), ("hugePages2Mi", "huge_pages2_mi"),
])
def test_names_in_c(tmp_path, json_name, c_name):
    file = tmp_path / "example_v1.schema"
    file.write_text(HEAD + f"struct HTTPGetAction\n\t{json_name} 1 int32\n")
    assert generate(tmp_path, file).returncode == 0
    header = (tmp_path / "out/example_v1.h").read_text()
    assert f"struct http_get_action {{\n\tuint8_t has[1];\n\tint32_t {c_name};\n}};\n" in header
