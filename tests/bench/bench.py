#!/usr/bin/python3
"""Prints every figure that can be measured so far, beside its budget. Run by `make bench`."""
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
VECTORS = ROOT / "out/test/golang-k8s-api-dev"
EVERY_KIND = ROOT / "out/bench/kinds"


def link_vectors():
    """Upstream's fully filled vector of every served kind, in one folder."""
    subprocess.run([ROOT / "rootfs/packages/fetch.py", "debs", "--class", "test", "golang-k8s-api-dev", "--unpack",
                    VECTORS], check=True)
    shutil.rmtree(EVERY_KIND, ignore_errors=True)
    EVERY_KIND.mkdir(parents=True)
    served = set()
    for path in (ROOT / "services/lib/api/schema").glob("*.schema"):
        text = path.read_text()
        group, version = (re.search(rf"^{word} (\S+)", text, re.M)[1] for word in ("group", "version"))
        name = "core" if group == "-" else group
        served |= {f"{name}.{version}.{kind}" for kind in re.findall(r"^kind (\w+)", text, re.M)}
    for path in sorted((VECTORS / "usr/share/gocode/src/k8s.io/api/testdata/HEAD").glob("*.json")):
        if path.stem in served:
            (EVERY_KIND / path.name).symlink_to(path)


def main():
    link_vectors()
    failed = 0
    for title, argv in [
        ("objects as they are in a cluster", ["out/dev/bin/bench_object"]),
        ("every served kind with every field set", ["out/dev/bin/bench_object", EVERY_KIND]),
        ("HTTP: CPU time of the server per request, memory of a connection",
         ["/usr/bin/python3", "tests/bench/http_bench.py"]),
        ("storage: CPU time of a client of etcd per write and event, memory of a cache",
         ["/usr/bin/python3", "tests/bench/storage_bench.py", "10000", "150000"]),
        ("the control plane: 10,000 pods on 100 nodes, 500 watchers",
         ["/usr/bin/python3", "tests/bench/control_plane_bench.py"]),
        ("the appliance: one machine, master and node, idle", ["/usr/bin/python3", "tests/bench/appliance_bench.py"]),
    ]:
        print(f"== {title}", flush=True)
        failed += subprocess.run(argv, cwd=ROOT, check=False).returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
