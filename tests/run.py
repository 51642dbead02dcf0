#!/usr/bin/python3
"""Runs everything that `make test` has built and closes with "N passed, N failed".

usage: run.py [--lint] [--unit PROGRAM...] [--tsan PROGRAM...] [--musl PROGRAM...] [--replay PROGRAM...] [--pytest FOLDER...]

Each step prints its own output as it goes; a program that prints no count is one test by its exit status.
"""
import argparse
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "tests/fuzz/corpus"
COUNT = re.compile(r"^(\d+) passed, (\d+) failed$", re.M)


class Tally:
    def __init__(self):
        self.passed = self.failed = 0

    def add(self, title, passed, failed, seconds):
        self.passed += passed
        self.failed += failed
        print(f"{'FAIL' if failed else 'ok':4} {title}: {passed} passed, {failed} failed in {seconds:.1f} s", flush=True)

    def run(self, title, argv, env=None):
        started = time.monotonic()
        done = subprocess.run(argv, cwd=ROOT, env={**os.environ, "CORACLE_ROOT": str(ROOT), **(env or {})},
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        counts = COUNT.findall(done.stdout)
        passed, failed = map(int, counts[-1]) if counts else (int(done.returncode == 0), int(done.returncode != 0))
        if done.returncode != 0:
            failed = max(failed, 1)
            print(done.stdout)
        self.add(title, passed, failed, time.monotonic() - started)


def replay(tally, programs):
    for program in programs:
        name = Path(program).name
        tally.run(f"fuzz corpus {name}", [program, str(CORPUS / name)])


def run_pytest(tally, folders):
    report = ROOT / "out/pytest.xml"
    started = time.monotonic()
    argv = ["/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider",
            f"--basetemp={ROOT / 'out/pytest'}", f"--junitxml={report}", *folders]
    report.unlink(missing_ok=True)
    status = subprocess.run(argv, cwd=ROOT, check=False).returncode
    passed, failed = 0, int(status not in (0, 1))
    if report.exists():
        for suite in ElementTree.parse(report).getroot().iter("testsuite"):
            bad = int(suite.get("failures")) + int(suite.get("errors"))
            failed += bad
            passed += int(suite.get("tests")) - bad - int(suite.get("skipped"))
    tally.add("pytest", passed, failed, time.monotonic() - started)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--lint", action="store_true")
    for name in ("--unit", "--tsan", "--musl", "--replay", "--pytest"):
        parser.add_argument(name, nargs="*", default=[])
    args = parser.parse_args()
    tally = Tally()
    if args.lint:
        tally.run("lint", ["/usr/bin/python3", "tests/lint/lint.py"])
    for build, programs in (("ASan, UBSan", args.unit), ("TSan", args.tsan), ("musl", args.musl)):
        for program in programs:
            tally.run(f"unit {Path(program).name} ({build})", [program])
    replay(tally, args.replay)
    if args.pytest:
        run_pytest(tally, args.pytest)
    print(f"{tally.passed} passed, {tally.failed} failed", flush=True)
    return tally.failed > 0 or tally.passed == 0


if __name__ == "__main__":
    sys.exit(main())
