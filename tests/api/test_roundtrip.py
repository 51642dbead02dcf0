"""Upstream's round-trip vectors, of this level and three older ones: each kind of the served group-versions
goes from every format to every format and must come out byte for byte as upstream writes it."""
import itertools
import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
LEVELS = ["HEAD", "v1.35.0", "v1.34.0", "v1.33.0"]
FORMATS = ["json", "pb", "yaml"]
NO_KIND_IN_JSON = {"core.v1.WatchEvent": "v1/WatchEvent"}


def served_kinds():
    """GROUP.VERSION.KIND, as the vectors are named, of every kind in the schema text."""
    names = []
    for path in sorted((ROOT / "services/lib/api/schema").glob("*.schema")):
        text = path.read_text()
        group, version = (re.search(rf"^{word} (\S+)", text, re.M)[1] for word in ("group", "version"))
        kinds = re.findall(r"^kind (\w+)", text, re.M)
        if group == "meta.k8s.io":
            names += [f"core.v1.{kind}" for kind in kinds + ["WatchEvent"]]
        else:
            names += [f"{'core' if group == '-' else group}.{version}.{kind}" for kind in kinds]
    names.remove("core.v1.ApplyOptions")  # upstream's schemes do not register it
    return names


def compact(text):
    """JSON as Go writes it without indentation."""
    plain = json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False)
    return plain.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026").encode()


@pytest.fixture(scope="module")
def answers(upstream, object_tool, tmp_path_factory):
    """{name: [(what, wanted bytes, file, message)]} of all conversions, made by one run of the tool."""
    out = tmp_path_factory.mktemp("converted")
    jobs, lines = [], []
    for level, name in itertools.product(LEVELS, served_kinds()):
        stem = upstream / "testdata" / level / name
        if not Path(f"{stem}.json").exists():
            continue
        for source, to in itertools.product(FORMATS, FORMATS):
            after = Path(f"{stem}.after_roundtrip.{to}")
            wanted = after if after.exists() else Path(f"{stem}.{to}")
            made = out / f"{level}.{name}.{source}.{to}"
            kind = NO_KIND_IN_JSON.get(name, "-")
            lines.append(f"{source} {to} {kind} {stem}.{source} {made}")
            jobs.append((name, f"{level} {source} to {to}", wanted.read_bytes(), made))
    run = subprocess.run([object_tool, "--batch"], input="\n".join(lines), text=True, capture_output=True, check=True)
    by_name = {}
    for (name, what, wanted, made), message in zip(jobs, run.stdout.splitlines(), strict=True):
        by_name.setdefault(name, []).append((what, wanted, made, message))
    return by_name


def test_there_are_vectors_for_most_kinds(answers):
    assert len(answers) >= 88


@pytest.fixture(scope="module")
def own_vectors():
    """Kinds that tests/data/vectors has, which lib/api/vectors_test.c checks."""
    names = set()
    for path in (ROOT / "tests/data/vectors").glob("*.jsonl"):
        for line in path.read_text().splitlines():
            *group, version, kind = json.loads(line)["kind"].split("/")
            group = "".join(group).replace("meta.k8s.io", "") or "core"
            names.add(f"{group}.{version}.{kind}")
    return names


@pytest.mark.parametrize("name", served_kinds())
def test_kind(answers, own_vectors, name):
    assert name in answers or name in own_vectors
    for what, wanted, made, message in answers.get(name, []):
        assert message == "ok", what
        assert made.read_bytes() == (compact(wanted) if made.suffix == ".json" else wanted), what
