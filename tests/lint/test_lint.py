"""The lint finds each thing it is there to find, in a tree made to break every rule once."""
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
FLOORS = "lib/base 0\nlib/os 1\nlib/codec 1 yaml.h\nlib/api 3\n"
CLEAN = "#include \"lib/base/str.h\"\n\nint f(void)\n{\n\treturn 0;\n}\n"

BREACHES = {
    "upward include": ("services/lib/base/a.c", '#include "lib/os/file.h"\n', "may not include lib/os"),
    "include across": ("services/lib/os/a.c", '#include "lib/codec/json.h"\n', "may not include lib/codec"),
    "generated types below their floor": ("services/lib/os/a.c", '#include "api/core_v1.h"\n', "generated types"),
    "unlisted folder": ("services/lib/stray/a.c", '#include "lib/base/str.h"\n', "not in services/FLOORS"),
    "somebody else's header": ("services/lib/os/a.c", "#include <yaml.h>\n", "belongs to lib/codec"),
    "long file": ("services/lib/os/a.c", "int a;\n" * 801, "801 lines"),
    "long function": ("services/lib/os/a.c", "void f(void)\n{\n" + "\t;\n" * 81 + "}\n", "function of 81 lines"),
    "wide line": ("services/lib/os/a.c", "/* " + "x" * 100 + " */\n", "wider than 100"),
    "ifdef": ("services/lib/os/a.c", "#ifdef X\n#endif\n", "conditional compilation"),
    "typedef": ("services/lib/os/a.c", "typedef int number;\n", "typedef"),
    "layout": ("services/lib/os/a.c", "int f( void ) {return 0;}\n", "not laid out"),
    "long shell script": ("image/make.sh", "#!/bin/sh\n" + "true\n" * 101, "shell script of 102 lines"),
    "long README": ("services/lib/os/README.md", "x\n" * 41, "more than 40 lines"),
}


def lint(root):
    return subprocess.run([sys.executable, ROOT / "tests/lint/lint.py", root], capture_output=True, text=True,
                          check=False)


@pytest.fixture(name="tree")
def make_tree(tmp_path):
    (tmp_path / "services/lib/os").mkdir(parents=True)
    (tmp_path / "services/FLOORS").write_text(FLOORS)
    (tmp_path / ".clang-format").write_bytes((ROOT / ".clang-format").read_bytes())
    (tmp_path / "services/lib/os/clean.c").write_text(CLEAN)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    return tmp_path


def test_clean_tree_passes(tree):
    done = lint(tree)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("breach", BREACHES)
def test_breach_is_named(tree, breach):
    path, text, complaint = BREACHES[breach]
    (tree / path).parent.mkdir(parents=True, exist_ok=True)
    (tree / path).write_text(text)
    done = lint(tree)
    assert done.returncode == 1
    assert [line for line in done.stdout.splitlines() if line.startswith(path + ":") and complaint in line], done.stdout


def test_folder_of_four_sources_needs_a_readme(tree):
    for name in "abc":
        (tree / f"services/lib/os/{name}.c").write_text(CLEAN)
    assert "4 sources and no README.md" in lint(tree).stdout
    (tree / "services/lib/os/README.md").write_text("what it is for\n")
    assert lint(tree).returncode == 0
