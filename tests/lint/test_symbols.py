"""No mutable globals: nothing of ours lies in .data, .bss or thread-local storage."""
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def test_archive_has_no_mutable_objects():
    listing = subprocess.run(["objdump", "-t", ROOT / "out/dev/libcoracle.a"], capture_output=True, text=True, check=True)
    objects = re.findall(r"^[0-9a-f]{16} ([gl ]).{5}O (\S+)\s+[0-9a-f]{16}\s+(?:\.hidden )?(\S+)$", listing.stdout, re.M)
    assert "clock_system" in [name for _, _, name in objects], "objdump's listing is not what this test reads"
    mutable = [name for _, section, name in objects if re.match(r"\.(data|bss|tdata|tbss)(?!\.rel\.ro)", section)]
    assert mutable == []
