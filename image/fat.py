"""FAT volumes, made without mounting and from nothing but what they hold."""
import hashlib
import os
from pathlib import PurePosixPath

import archives

ISO_BYTES = 2 * 2**20
ESP_BYTES = 64 * 2**20


def volume(to, size, name, time, files):
    """A volume of `size` bytes; its serial number comes from `name`, all its times from `time`."""
    to.unlink(missing_ok=True)
    with open(to, "wb") as made:
        made.truncate(size)
    serial = hashlib.sha256(name.encode()).hexdigest()[:8]
    env = {**os.environ, "SOURCE_DATE_EPOCH": str(time), "TZ": "UTC", "MTOOLS_SKIP_CHECK": "1"}
    kind = ["-F"] if size >= ESP_BYTES else []
    archives.run(["mformat", "-i", to, "-N", serial, "-v", "CORACLE-ESP", *kind, "::"], env=env)
    folders = sorted({parent for path in files for parent in PurePosixPath(path).parents if parent.name})
    for folder in folders:
        archives.run(["mmd", "-i", to, f"::{folder}"], env=env)
    for path, content in sorted(files.items()):
        source = to.with_name(to.name + ".file")
        source.write_bytes(content)
        os.utime(source, (time, time))
        archives.run(["mcopy", "-m", "-i", to, source, f"::{path}"], env=env)
        source.unlink()
    return to
