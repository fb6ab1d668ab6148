"""Expiring counters in shared memory: all gunicorn workers count together.

A table of fixed size: no name can make it grow. One that is full forgets the smallest count of a bucket of four.
"""

import fcntl
import mmap
import os
import struct
import tempfile
import threading
import weakref
from typing import NamedTuple

from app import clock

_BUCKETS = 16_384  # a power of two; with four slots each, 65,536 names in 1.5 MiB
_WAYS = 4
_SLOT = struct.Struct("=qqq")  # hash of the name, end of its window in epoch milliseconds, count
_BUCKET = struct.Struct("=" + "qqq" * _WAYS)
_PLACES = range(0, 3 * _WAYS, 3)  # of the first field of each slot


class Count(NamedTuple):
    """How often a name was counted, and when that is forgotten, in epoch milliseconds."""

    times: int
    ends: int


class Counters:
    """The table. Make it before the fork whose children are to share it."""

    def __init__(self, buckets: int = _BUCKETS):
        self._memory = mmap.mmap(-1, buckets * _BUCKET.size)
        self._mask = buckets - 1
        # A record lock belongs to a process, also on an inherited file, and the kernel ends it with the process: a
        # worker that is killed leaves none behind.
        self._lock, name = tempfile.mkstemp()
        os.unlink(name)
        weakref.finalize(self, os.close, self._lock)
        self._threads = threading.Lock()  # a record lock does not keep the threads of one process apart

    def add(self, name: str, window: int, amount: int = 1) -> Count:
        """Count a name and return its count; the first one opens a window of so many milliseconds."""
        found, now = hash(name), clock.now()
        start = self._start(found)
        with self._threads:
            fcntl.lockf(self._lock, fcntl.LOCK_EX)  # one lock: it is held for a microsecond, more locks would cost more
            try:
                at, count, ends = _find(_BUCKET.unpack_from(self._memory, start), found, now, window)
                _SLOT.pack_into(self._memory, start + at * 8, found, ends, count + amount)
            finally:
                fcntl.lockf(self._lock, fcntl.LOCK_UN)
        return Count(count + amount, ends)

    def read(self, name: str) -> Count:
        """Return the count of a name; (0, now) when it has none."""
        found, now = hash(name), clock.now()
        slots = _BUCKET.unpack_from(self._memory, self._start(found))
        for at in _PLACES:
            if slots[at] == found and slots[at + 1] > now:
                return Count(slots[at + 2], slots[at + 1])
        return Count(0, now)

    def forget_all(self) -> None:
        """Let every name start afresh."""
        self._memory[:] = bytes(len(self._memory))

    def _start(self, found: int) -> int:
        # hash() is salted with a secret of the first process: nobody can aim at the bucket of another.
        return (found & self._mask) * _BUCKET.size


def _find(slots: tuple[int, ...], name: int, now: int, window: int) -> tuple[int, int, int]:
    """Return the slot for the name, as the place of its first field, with the count and the end of its window."""
    for at in _PLACES:
        # A window that ends too late was opened before the clock was set back.
        if slots[at] == name and now < slots[at + 1] <= now + window:
            return at, slots[at + 2], slots[at + 1]
    own = [at for at in _PLACES if slots[at] == name]
    free = own or sorted(_PLACES, key=lambda at: (slots[at + 1] > now, slots[at + 2]))
    return free[0], 0, now + window
