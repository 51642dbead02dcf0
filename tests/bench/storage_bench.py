#!/usr/bin/python3
"""bench_storage over an etcd of its own, for each number of pods given. Run by `make bench`."""
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/storage"))

from etcd_member import Etcd  # noqa: E402


def main():
    failed = 0
    (ROOT / "out").mkdir(exist_ok=True)
    for pods in sys.argv[1:]:
        with tempfile.TemporaryDirectory(dir=ROOT / "out") as folder:
            etcd = Etcd(Path(folder))
            etcd.start()
            try:
                print(f"-- {pods} pods", flush=True)
                failed += subprocess.run(["out/dev/bin/bench_storage", etcd.url, pods], cwd=ROOT,
                                         stderr=subprocess.DEVNULL, check=False).returncode != 0
            finally:
                etcd.kill()
    return failed


if __name__ == "__main__":
    sys.exit(main())
