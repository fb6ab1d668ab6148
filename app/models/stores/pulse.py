"""Shared memory that tells which workers of this machine fail to reach the database, and since when.

A slot for each process: since when it has asked without an answer, 0.0 when its last question was answered, and when it
last asked; in seconds of the monotonic clock, which is the same in all processes of a machine.
"""

import mmap
import os
import struct
import time
from typing import NamedTuple

_SLOT = struct.Struct("=qdd")  # process id, since when, last time
_MOST = 256  # slots; more than there are workers at once, those that were killed among them
_SCARCE = struct.Struct("=d")  # when a process last found no connection free
_SCARCE_SECONDS = 10.0  # that everybody gives connections back at once, after that


class Waiting(NamedTuple):
    """A process that asks the database in vain, and for how many seconds."""

    process: int
    seconds: float


class _Table:
    """The memory, and where in it this process has its slot."""

    def __init__(self) -> None:
        self.memory = mmap.mmap(-1, _SCARCE.size + _MOST * _SLOT.size)
        self.process, self.place = 0, 0

    def own(self) -> int:
        """Return the place of the slot of this process, which takes one when it first asks."""
        if self.process != os.getpid():
            self.process = os.getpid()
            self.place = self._free()
            _SLOT.pack_into(self.memory, self.place, self.process, 0.0, 0.0)
        return self.place

    def _free(self) -> int:
        # By process id, so that two that start at the same moment do not take the same one; what was there is dead.
        return _SCARCE.size + (os.getpid() % _MOST) * _SLOT.size


_table = _Table()


def asks() -> None:
    """Note that this process asks the database."""
    place, now = _table.own(), time.monotonic()
    since = _SLOT.unpack_from(_table.memory, place)[1]
    _SLOT.pack_into(_table.memory, place, _table.process, since or now, now)


def answered() -> None:
    """Note that this process had an answer."""
    _SLOT.pack_into(_table.memory, _table.own(), _table.process, 0.0, 0.0)


def in_vain(seconds: float) -> Waiting | None:
    """Return a living process that has asked for longer than that without any answer; None where there is none.

    One that has not asked in all that time, as nobody wanted anything of it, does not count.
    """
    now = time.monotonic()
    for place in range(_SCARCE.size, len(_table.memory), _SLOT.size):
        process, since, last = _SLOT.unpack_from(_table.memory, place)
        if since and now - since > seconds > now - last and _lives(process):
            return Waiting(process, now - since)
    return None


def note_scarcity() -> None:
    """Note that the database has no connection left for this process."""
    _SCARCE.pack_into(_table.memory, 0, time.monotonic())


def is_scarce() -> bool:
    """Return True if some process found no connection free in the last seconds."""
    noted = float(_SCARCE.unpack_from(_table.memory, 0)[0])
    return bool(noted) and time.monotonic() - noted < _SCARCE_SECONDS


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
