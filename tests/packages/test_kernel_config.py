"""The kernel's configuration, made but not built: every symbol that a fragment asks for holds."""

import importlib.machinery
import importlib.util
import subprocess
from pathlib import Path

import pytest

import fetch

CONFIG = Path(__file__).resolve().parents[2] / "kernel-config"
NEEDED = (
    "*/Kconfig*",
    "linux-*/Makefile",
    "linux-*/scripts/*",
    "linux-*/arch/x86/Makefile*",
    "*/configs/tiny*",
)


def load_check():
    loader = importlib.machinery.SourceFileLoader("check", str(CONFIG / "check"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("check", loader))
    loader.exec_module(module)
    return module


@pytest.fixture
def tree(folder):
    files = fetch.Fetcher().source("linux")
    [tarball] = [f for f in files if ".orig.tar." in f.name]
    (folder / "linux").mkdir()
    subprocess.run(
        [
            "tar",
            "-xf",
            tarball,
            "-C",
            folder / "linux",
            "--strip-components=1",
            "--wildcards",
            *NEEDED,
        ],
        check=True,
    )
    return folder / "linux"


def test_every_symbol_asked_for_is_set(tree, folder):
    done = subprocess.run(
        [CONFIG / "configure", tree, folder / "build"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    text = (folder / "build/.config").read_text()
    assert "=m\n" not in text
    assert "CONFIG_SQUASHFS_DECOMP_MULTI_PERCPU=y\n" in text


def test_a_symbol_that_is_not_so_is_named(folder):
    (folder / "config").write_text("CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_N=250\n")
    (folder / "x.config").write_text(
        "# a purpose\nCONFIG_A=y\n# CONFIG_C is not set\nCONFIG_B=y\nCONFIG_N=100\n"
        "# CONFIG_A is not set\n"
    )
    assert load_check().unmet(folder / "config", [folder / "x.config"]) == [
        "x.config: B is asked y and is n",
        "x.config: N is asked 100 and is 250",
        "x.config: A is asked n and is y",
    ]


def test_no_symbol_is_named_twice():
    check = load_check()
    seen = [
        symbol
        for file in sorted(CONFIG.glob("*.config"))
        for symbol, _ in check.settings(file.read_text())
    ]
    assert sorted(seen) == sorted(set(seen))
