import pytest

import pins
from fail import Fail

SHA = "a" * 64
POOL = "pool/main/g/golang-1.26/golang-1.26-go_1.26.10-1_amd64.deb"
LINE = f"deb go golang-1.26-go 1.26.10-1 sid test 123 {SHA} {POOL}"


def test_a_line_is_a_pin():
    [pin] = pins.parse(f"# a comment\n\n{LINE}\n", "lock")
    assert (pin.kind, pin.set, pin.name, pin.version) == (
        "deb",
        "go",
        "golang-1.26-go",
        "1.26.10-1",
    )
    assert (pin.suite, pin.klass, pin.size, pin.sha256) == ("sid", "test", 123, SHA)


def test_what_is_written_is_read_back_sorted(folder):
    found = pins.parse(f"{LINE}\n{LINE.replace('deb go golang', 'deb go bolang')}\n", "lock")
    pins.write(folder / "lock", found)
    assert pins.read(folder / "lock") == sorted(found)


@pytest.mark.parametrize(
    "line, reason",
    [
        (LINE.replace("deb ", "rpm ", 1), "unknown kind rpm"),
        (LINE.replace(" test ", " toy "), "unknown class toy"),
        (LINE.replace(" 123 ", " -1 "), "size -1 is no number"),
        (LINE.replace(SHA, SHA[1:]), "is no sha256"),
        (LINE.replace("pool/main", "pool/../etc"), "is no path in the pool"),
        (LINE.replace("pool/main", "/pool/main"), "is no path in the pool"),
        (LINE + " more", "10 fields instead of 9"),
        (LINE + "\n" + LINE, "pinned in line 1 already"),
    ],
    ids=["kind", "class", "size", "sha256", "dotdot", "absolute", "fields", "twice"],
)
def test_a_wrong_line_is_named(line, reason):
    with pytest.raises(Fail) as caught:
        pins.parse(line, "lock")
    assert reason in str(caught.value)
    assert "make relock" in str(caught.value)


def test_an_absent_lock_file_says_how_to_make_it(folder):
    with pytest.raises(Fail, match="make relock"):
        pins.read(folder / "packages.lock")
