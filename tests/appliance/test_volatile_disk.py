"""The disk that forgets, by itself: what a power cut leaves of what was written to it."""
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import volatile_disk as nbd

SERVER = Path(nbd.__file__)


class Wire:
    """Enough of an NBD client."""

    def __init__(self, path, *flags):
        address = str(path) + ".sock"
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(address)
        listener.listen(1)
        self.server = subprocess.Popen([sys.executable, SERVER, path, str(listener.fileno()), *flags],
                                       pass_fds=[listener.fileno()], stdout=subprocess.PIPE, text=True)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(address)
        listener.close()
        os.unlink(address)
        self.stream = self.socket.makefile("rwb")
        self.stream.read(18)
        self.stream.write(struct.pack(">IQII", 3, nbd.OPTION_MAGIC, nbd.OPT_EXPORT_NAME, 0))
        self.stream.flush()
        self.size = struct.unpack(">QH", self.stream.read(10))[0]

    def ask(self, kind, offset=0, length=0, content=b"", flags=0):
        self.stream.write(struct.pack(">IHHQQI", nbd.REQUEST_MAGIC, flags, kind, 7, offset, length or len(content)) + content)
        self.stream.flush()
        if kind != nbd.DISCONNECT:
            error = struct.unpack(">IIQ", self.stream.read(16))[1]
            return error, self.stream.read(length) if kind == nbd.READ and not error else b""

    def leave(self):
        self.stream.close()
        self.socket.close()
        return self.server.communicate(timeout=30)[0]


@pytest.fixture
def disk(tmp_path):
    path = tmp_path / "d"
    path.write_bytes(bytes(1 << 20))
    return path


def test_what_was_not_flushed_is_gone_after_a_cut(disk):
    wire = Wire(disk)
    assert wire.size == 1 << 20
    wire.ask(nbd.WRITE, 1000, content=b"a" * 5000)
    wire.ask(nbd.FLUSH)
    wire.ask(nbd.WRITE, 3000, content=b"b" * 10)
    assert wire.ask(nbd.READ, 2999, 12) == (0, b"a" + b"b" * 10 + b"a")
    assert "1 blocks were not flushed" in wire.leave()
    assert disk.read_bytes() == bytes(1000) + b"a" * 5000 + bytes((1 << 20) - 6000)


def test_leaving_in_order_keeps_everything(disk):
    wire = Wire(disk)
    wire.ask(nbd.WRITE, 8192, content=b"x" * 4096)
    wire.ask(nbd.DISCONNECT)
    assert wire.leave() == ""
    assert disk.read_bytes()[8192:12288] == b"x" * 4096


def test_forced_writes_and_bad_requests(disk):
    wire = Wire(disk)
    wire.ask(nbd.WRITE, 0, content=b"f" * 512, flags=nbd.FUA)
    assert wire.ask(nbd.READ, 1 << 20, 1)[0] == nbd.EINVAL
    wire.leave()
    assert disk.read_bytes()[:512] == b"f" * 512


def test_some_blocks_survive_by_seed_and_a_deaf_disk_loses_what_was_flushed(disk):
    wire = Wire(disk, "--keep", "1")
    for block in range(100):
        wire.ask(nbd.WRITE, block * 4096, content=b"k" * 4096)
    wire.leave()
    assert 20 < sum(disk.read_bytes()[n * 4096] == ord("k") for n in range(100)) < 80
    disk.write_bytes(bytes(1 << 20))
    wire = Wire(disk, "--deaf")
    wire.ask(nbd.WRITE, 0, content=b"l" * 4096)
    assert wire.ask(nbd.FLUSH)[0] == 0
    wire.leave()
    assert disk.read_bytes()[:4096] == bytes(4096)
