import os
import subprocess

import pytest

import source
import sysroot
from fail import Fail


def count(shell):
    return f"echo built >> '{shell.root}/count'\n"


def built(shell):
    file = shell.root / "count"
    return len(file.read_text().split()) if file.exists() else 0


def place(shell, name):
    return shell.ok("build.py", "--target", "host", "--print", name).out.strip()


def test_a_package_is_built_once(shell):
    shell.recipe("boat", count(shell) + 'mkdir "$OUT/lib"; echo plank > "$OUT/lib/boat"\n')
    first = place(shell, "boat")
    assert open(first + "/lib/boat").read() == "plank\n"
    assert place(shell, "boat") == first
    assert built(shell) == 1


@pytest.mark.parametrize("file", ["recipe", "build", "extra"])
def test_the_key_changes_with_every_file_of_a_recipe(shell, file):
    shell.recipe("boat", count(shell))
    first = place(shell, "boat")
    with open(shell.root / "boat" / file, "a") as out:
        out.write("# changed\n")
    assert place(shell, "boat") != first
    assert built(shell) == 2


def test_the_key_changes_with_what_the_package_needs(shell):
    shell.recipe("plank", 'mkdir "$OUT/include"; echo one > "$OUT/include/plank.h"\n')
    shell.recipe("boat", 'cp "$SYSROOT/include/plank.h" "$OUT/"\n', "targets: host\nneeds: plank\n")
    first = place(shell, "boat")
    assert open(first + "/plank.h").read() == "one\n"
    shell.recipe("plank", 'mkdir "$OUT/include"; echo two > "$OUT/include/plank.h"\n')
    second = place(shell, "boat")
    assert second != first
    assert open(second + "/plank.h").read() == "two\n"


def test_the_key_changes_with_an_input_outside_the_recipe(shell):
    shell.recipe("boat", 'cp "$INPUTS/given" "$OUT"\n', "targets: host\ninputs: ../given\n")
    (shell.root.parent / "given").write_text("one")
    first = place(shell, "boat")
    (shell.root.parent / "given").write_text("two")
    assert place(shell, "boat") != first
    assert open(place(shell, "boat") + "/given").read() == "two"


def test_an_edit_does_not_reach_a_build_that_runs(shell):
    os.mkfifo(shell.root / "gate")
    shell.recipe("boat", f"read -r _ < '{shell.root}/gate'\necho one > \"$OUT/boat\"\n")
    first = shell.start("build.py", "--target", "host", "--print", "boat")
    assert "building boat" in first.stderr.readline()
    shell.recipe("boat", "exit 1\n")
    (shell.root / "gate").write_text("go\n")
    out, err = first.communicate()
    assert first.returncode == 0, err
    assert open(out.strip() + "/boat").read() == "one\n"


def test_two_builds_at_once_do_the_work_once(shell):
    # The build waits on a pipe until the second one has said that it waits for the first.
    os.mkfifo(shell.root / "gate")
    shell.recipe("boat", count(shell) + f"read -r _ < '{shell.root}/gate'\n")
    first = shell.start("build.py", "--target", "host", "boat")
    assert "building boat" in first.stderr.readline()
    second = shell.start("build.py", "--target", "host", "boat")
    assert "waiting for another build" in second.stderr.readline()
    (shell.root / "gate").write_text("go\n")
    for child in (first, second):
        child.communicate()
        assert child.returncode == 0
    assert built(shell) == 1


def test_a_failed_build_shows_its_last_words_and_leaves_nothing(shell):
    shell.recipe("boat", "echo the mast broke; exit 3\n")
    done = shell.run("build.py", "--target", "host", "boat")
    assert done.returncode == 1
    assert "the mast broke" in done.err and "boat-host.log" in done.err
    shell.recipe("boat", "")
    assert place(shell, "boat")


def test_an_environment_of_the_caller_does_not_reach_a_build(shell):
    shell.env.update(CFLAGS="-O0", LD_PRELOAD_TEST="1", PKG_CONFIG_PATH="/elsewhere")
    shell.recipe("boat", 'env > "$OUT/env"\n')
    text = open(place(shell, "boat") + "/env").read()
    assert "-O0" not in text and "LD_PRELOAD_TEST" not in text and "elsewhere" not in text


@pytest.mark.parametrize(
    "recipe, reason",
    [
        ("targets: moon\n", "`targets` is one or more of"),
        ("colour: red\ntargets: host\n", "recipe:1: cannot read"),
        ("source: boat\ntargets: host\n", "`source` takes"),
        ("targets: musl\n", "does not build for host"),
    ],
)
def test_a_wrong_recipe_is_named(shell, recipe, reason):
    shell.recipe("boat", "", recipe)
    done = shell.run("build.py", "--target", "host", "boat")
    assert done.returncode == 1 and reason in done.err


def test_a_sysroot_merges_and_follows(shell, folder):
    shell.recipe("boat", 'mkdir "$OUT/lib"; echo one > "$OUT/lib/boat"\n')
    shell.recipe("oar", 'mkdir "$OUT/lib"; echo oar > "$OUT/lib/oar"\n')
    words = ("--target", "host", "boat", "oar", "--sysroot", folder / "sysroot")
    shell.ok("build.py", *words)
    assert (folder / "sysroot/lib/boat").read_text() == "one\n"
    assert shell.ok("build.py", *words).err == ""
    shell.recipe("boat", 'mkdir "$OUT/lib"; echo two > "$OUT/lib/boat"\n')
    shell.ok("build.py", *words)
    assert (folder / "sysroot/lib/boat").read_text() == "two\n"
    assert (folder / "sysroot/lib/oar").read_text() == "oar\n"


def test_a_sysroot_takes_no_file_from_two_packages(folder):
    for name in ("one", "two"):
        (folder / name / "lib").mkdir(parents=True)
        (folder / name / "lib/boat").touch()
    with pytest.raises(Fail, match="two packages bring this file"):
        sysroot.merge([folder / "one", folder / "two"], folder / "merged")


def test_a_source_is_unpacked_and_patched(folder):
    tree = folder / "tree/boat-1"
    tree.mkdir(parents=True)
    (tree / "mast").write_text("short\n")
    pool = folder / "pool"
    (folder / "tree/debian/patches").mkdir(parents=True)
    (folder / "tree/debian/patches/series").write_text("# order\nlonger.patch\n")
    (folder / "tree/debian/patches/longer.patch").write_text(
        "--- a/mast\n+++ b/mast\n@@ -1 +1 @@\n-short\n+long\n"
    )
    pool.mkdir()
    for file, inside in (
        ("x-boat_1.orig.tar.xz", "boat-1"),
        ("x-boat_1-1.debian.tar.xz", "debian"),
    ):
        subprocess.run(["tar", "-cJf", pool / file, "-C", folder / "tree", inside], check=True)
    files = [
        pool / "x-boat_1-1.dsc",
        pool / "x-boat_1.orig.tar.xz",
        pool / "x-boat_1-1.debian.tar.xz",
    ]
    source.unpack(files, folder / "patched", "debian")
    assert (folder / "patched/mast").read_text() == "long\n"
    source.unpack(files, folder / "plain", "none")
    assert (folder / "plain/mast").read_text() == "short\n"
