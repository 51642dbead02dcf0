"""The fetcher against an archive of the test's own: signatures, lost pins, wrong downloads."""

import pytest

import pins


@pytest.fixture
def locked(archive_shell, mirror):
    """A recipe's source, an image set and a test set, each pinned at version 1."""
    for name in ("boat", "oar"):
        mirror.add_deb("sid", name, "1", f"{name} one")
    mirror.add_source("trixie", "keel", "1", "keel one")
    mirror.publish()
    (archive_shell.root / "wanted").write_text("image hull sid * boat\ntest toys sid * oar\n")
    archive_shell.recipe("keel", "", "source: keel trixie\ntargets: host\n")
    archive_shell.ok("fetch.py", "relock")
    return archive_shell


def versions(shell):
    return {pin.name: pin.version for pin in pins.read(shell.root / "packages.lock")}


def replace(mirror, name, text):
    mirror.deb("sid", name, "1").unlink()
    mirror.add_deb("sid", name, "2", text)
    mirror.publish()


def unpack(shell, klass, name, target):
    return shell.run("fetch.py", "debs", "--class", klass, name, "--unpack", target)


def test_relock_pins_what_the_archive_has(locked, mirror):
    assert versions(locked) == {"boat": "1", "oar": "1", "keel": "1"}
    replace(mirror, "boat", "boat two")
    done = locked.ok("fetch.py", "relock")
    assert "hull: boat 1 -> 2" in done.err
    assert versions(locked)["boat"] == "2"


def test_a_pinned_package_is_unpacked(locked, folder):
    assert unpack(locked, "image", "boat", folder / "to").returncode == 0
    assert (folder / "to/usr/share/boat").read_text() == "boat one"


def test_a_pin_in_the_cache_needs_no_archive(locked, mirror, folder):
    locked.ok("fetch.py", "set", "hull")
    mirror.deb("sid", "boat", "1").unlink()
    locked.env["CORACLE_MIRROR"] = "http://127.0.0.1:1/none"
    assert unpack(locked, "image", "boat", folder / "to").returncode == 0


def test_a_vanished_image_pin_stops(locked, mirror, folder):
    replace(mirror, "boat", "boat two")
    done = unpack(locked, "image", "boat", folder / "to")
    assert done.returncode == 1
    assert "boat 1" in done.err and "make relock" in done.err
    assert not (folder / "to").exists()


def test_a_vanished_test_pin_takes_the_newer_version_with_a_notice(locked, mirror, folder):
    replace(mirror, "oar", "oar two")
    done = unpack(locked, "test", "oar", folder / "to")
    assert done.returncode == 0, done.err
    assert "notice: oar 1 has vanished; taking 2 of sid" in done.err
    assert (folder / "to/usr/share/oar").read_text() == "oar two"
    assert versions(locked)["oar"] == "1"


def test_a_test_pin_that_vanished_without_a_successor_stops(locked, mirror, folder):
    mirror.deb("sid", "oar", "1").unlink()
    mirror.publish()
    done = unpack(locked, "test", "oar", folder / "to")
    assert done.returncode == 1
    assert "oar 1" in done.err and "neither it nor a newer version" in done.err


@pytest.mark.parametrize("klass, name", [("image", "boat"), ("test", "oar")])
def test_a_download_that_is_not_what_was_pinned_is_refused(locked, mirror, folder, klass, name):
    file = mirror.deb("sid", name, "1")
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    done = unpack(locked, klass, name, folder / "to")
    assert done.returncode == 1
    assert "sha256 differs" in done.err
    assert not (folder / "to").exists()
    assert not [p for p in (folder / "cache/coracle/dl").iterdir() if name in p.name]


def test_a_source_comes_with_all_its_files(locked):
    done = locked.ok("fetch.py", "source", "keel")
    dsc, tarball = done.out.split()
    assert dsc.endswith("-keel_1.dsc") and tarball.endswith("-keel_1.tar.xz")


def test_a_source_that_is_listed_but_absent_is_named_by_relock(locked, mirror):
    (mirror.folder / "pool/trixie/keel_1.dsc").unlink()
    locked.env["XDG_CACHE_HOME"] += "-empty"
    done = locked.run("fetch.py", "relock")
    assert done.returncode == 1
    assert "keel in trixie: the archive does not have the source" in done.err


def test_an_index_signed_by_another_key_is_refused(locked, mirror):
    mirror.keyring.write_bytes(b"")
    locked.env["XDG_CACHE_HOME"] += "-empty"
    done = locked.run("fetch.py", "relock")
    assert done.returncode == 1
    assert "not signed" in done.err or "NO_PUBKEY" in done.err


def test_a_folder_of_the_users_is_not_replaced(locked, folder):
    (folder / "mine").mkdir()
    (folder / "mine/letter").write_text("dear")
    done = unpack(locked, "image", "boat", folder / "mine")
    assert done.returncode == 1 and "was not made by this program" in done.err
    assert (folder / "mine/letter").read_text() == "dear"
