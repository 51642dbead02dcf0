"""Waits for text in a file that grows, by the kernel's news of it."""
import ctypes
import os
import select
import struct
import time
from pathlib import Path

IN_MODIFY, IN_CLOEXEC = 0x2, 0o2000000
LIBC = ctypes.CDLL(None, use_errno=True)


class Watch:
    """One file. A context manager, which holds the kernel's watch."""

    def __init__(self, path):
        self.path = Path(path)

    def __enter__(self):
        self.fd = LIBC.inotify_init1(IN_CLOEXEC)
        if LIBC.inotify_add_watch(self.fd, os.fsencode(self.path), IN_MODIFY) < 0:
            raise OSError(ctypes.get_errno(), f"watching {self.path}")
        return self

    def __exit__(self, *_):
        os.close(self.fd)

    def text(self):
        return self.path.read_bytes().decode(errors="replace")

    def until(self, matches, timeout_s, ended_fd=-1):
        """What `matches` makes of the text, once that is true; None when time is up or ended_fd reads as ended."""
        deadline = time.monotonic() + timeout_s
        while True:
            if found := matches(self.text()):
                return found
            fds = [self.fd] + ([ended_fd] if ended_fd >= 0 else [])
            ready = select.select(fds, [], [], max(0, deadline - time.monotonic()))[0]
            if self.fd in ready:
                os.read(self.fd, 64 * struct.calcsize("iIII"))
            elif ready or time.monotonic() >= deadline:
                return matches(self.text()) or None
