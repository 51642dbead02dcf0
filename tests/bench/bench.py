#!/usr/bin/python3
"""Prints every figure that can be measured so far, beside its budget. Run by `make bench`."""
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PARTS = [
    ("objects: decode, encode and memory of each kind", ["out/dev/bin/bench_object"]),
    ("HTTP: CPU time of the server per request, memory of a connection", ["/usr/bin/python3", "tests/bench/http_bench.py"]),
]


def main():
    failed = 0
    for title, argv in PARTS:
        print(f"== {title}", flush=True)
        failed += subprocess.run(argv, cwd=ROOT, check=False).returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
