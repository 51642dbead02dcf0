#!/usr/bin/python3
"""A disk with a write cache that a power cut empties: an NBD server for one client.

usage: volatile_disk.py FILE SOCKET_FD [--keep SEED] [--deaf]

What was written stands in memory until the client flushes, and only then in FILE. When the client goes without saying
goodbye, the power has been cut: of what was not flushed nothing reaches FILE; with --keep some blocks do, chosen by
SEED, as of a disk that was writing just then. With --deaf a flush is acknowledged and not done: a disk that lies.

Source: the NBD protocol (doc/proto.md of nbd), fixed newstyle.
"""
import argparse
import os
import random
import socket
import struct
import sys

BLOCK = 4096
INIT_MAGIC, OPTION_MAGIC, REPLY_MAGIC = 0x4E42444D41474943, 0x49484156454F5054, 0x3E889045565A9
REQUEST_MAGIC, SIMPLE_REPLY_MAGIC = 0x25609513, 0x67446698
FLAG_FIXED_NEWSTYLE, FLAG_NO_ZEROES = 1, 2
HAS_FLAGS, SEND_FLUSH, SEND_FUA = 1, 4, 8
OPT_EXPORT_NAME, OPT_ABORT, OPT_INFO, OPT_GO = 1, 2, 6, 7
REP_ACK, REP_INFO, REP_UNSUPPORTED = 1, 3, 0x80000001
READ, WRITE, DISCONNECT, FLUSH = 0, 1, 2, 3
FUA = 1
EINVAL = 22


class Gone(Exception):
    """The client is no longer there."""


class Disk:
    def __init__(self, path, deaf=False):
        self.fd, self.deaf = os.open(path, os.O_RDWR), deaf
        self.size = os.fstat(self.fd).st_size
        self.pending = {}

    def block(self, number):
        held = self.pending.get(number)
        return held if held is not None else os.pread(self.fd, BLOCK, number * BLOCK)

    def read(self, offset, length):
        first, last = offset // BLOCK, (offset + length - 1) // BLOCK
        whole = b"".join(self.block(number) for number in range(first, last + 1))
        return whole[offset - first * BLOCK:][:length]

    def write(self, offset, content):
        while content:
            number, within = divmod(offset, BLOCK)
            part = content[:BLOCK - within]
            block = part if len(part) == BLOCK else self.patched(number, within, part)
            self.pending[number] = block
            offset, content = offset + len(part), content[len(part):]

    def patched(self, number, within, part):
        old = self.block(number)
        return old[:within] + part + old[within + len(part):]

    def flush(self):
        if not self.deaf:
            self.keep(list(self.pending))
            self.pending.clear()

    def keep(self, numbers):
        for number in numbers:
            os.pwrite(self.fd, self.pending[number], number * BLOCK)

    def cut(self, seed):
        if seed is not None:
            choice = random.Random(seed)
            self.keep([number for number in sorted(self.pending) if choice.random() < 0.5])
        self.pending.clear()


class Client:
    def __init__(self, connection, disk):
        self.stream, self.disk = connection.makefile("rwb"), disk

    def take(self, length):
        try:
            got = self.stream.read(length)
        except ConnectionError:
            got = b""
        if len(got) < length:
            raise Gone
        return got

    def send(self, *parts):
        for part in parts:
            self.stream.write(part)
        self.stream.flush()

    def greet(self):
        self.send(struct.pack(">QQH", INIT_MAGIC, OPTION_MAGIC, FLAG_FIXED_NEWSTYLE | FLAG_NO_ZEROES))
        self.take(4)
        while True:
            _, option, length = struct.unpack(">QII", self.take(16))
            self.take(length)
            if option == OPT_EXPORT_NAME:
                self.send(struct.pack(">QH", self.disk.size, HAS_FLAGS | SEND_FLUSH | SEND_FUA))
                return
            if option in (OPT_GO, OPT_INFO):
                self.answer(option, REP_INFO, struct.pack(">HQH", 0, self.disk.size, HAS_FLAGS | SEND_FLUSH | SEND_FUA))
                self.answer(option, REP_INFO, struct.pack(">HIII", 3, 1, BLOCK, 1 << 25))
                self.answer(option, REP_ACK)
                if option == OPT_GO:
                    return
            elif option == OPT_ABORT:
                self.answer(option, REP_ACK)
                raise Gone
            else:
                self.answer(option, REP_UNSUPPORTED)

    def answer(self, option, kind, content=b""):
        self.send(struct.pack(">QIII", REPLY_MAGIC, option, kind, len(content)), content)

    def serve(self):
        """Until the client takes its leave, or is gone."""
        while True:
            _, flags, kind, handle, offset, length = struct.unpack(">IHHQQI", self.take(28))
            content = self.take(length) if kind == WRITE else b""
            if kind == DISCONNECT:
                return
            inside = offset + length <= self.disk.size
            known = kind == FLUSH or (kind in (READ, WRITE) and inside)
            if kind == WRITE and inside:
                self.disk.write(offset, content)
            if kind == FLUSH or (known and flags & FUA):
                self.disk.flush()
            answer = self.disk.read(offset, length) if kind == READ and inside and length else b""
            self.send(struct.pack(">IIQ", SIMPLE_REPLY_MAGIC, 0 if known else EINVAL, handle), answer)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("file")
    parser.add_argument("socket_fd", type=int)
    parser.add_argument("--keep", type=int)
    parser.add_argument("--deaf", action="store_true")
    args = parser.parse_args()
    disk = Disk(args.file, args.deaf)
    client = Client(socket.socket(fileno=args.socket_fd).accept()[0], disk)
    try:
        client.greet()
        client.serve()
        disk.flush()
    except Gone:
        print(f"power cut: {len(disk.pending)} blocks were not flushed")
        disk.cut(args.keep)


if __name__ == "__main__":
    sys.exit(main())
