"""Files of SQLite that fail: a VFS that counts writes, syncs and locks, and fails one of them.

It hands no shared memory through, so a database in WAL mode can be opened by one connection at a time, exclusively.
"""

from typing import Any, NamedTuple

import apsw

NAME = "failing"
KINDS = ("xWrite", "xSync", "xTruncate", "xLock")


class Fault(NamedTuple):
    """Which call fails, counted from 0 among those of its kind since `arm`, and with what."""

    kind: str
    number: int
    error: type[Exception]


class FailingFiles(apsw.VFS):
    """Install by making one; `counts` says how many calls of each kind there were since `arm`."""

    def __init__(self) -> None:
        super().__init__(NAME, "")
        self.arm(None)

    def arm(self, fault: Fault | None, forever: bool = False) -> None:
        """Count from here on; fail that call, or it and all of its kind that follow."""
        self._fault, self._forever = fault, forever
        self.was_raised = False
        self.counts = dict.fromkeys(KINDS, 0)

    def xOpen(self, name: Any, flags: list[int]) -> Any:  # noqa: N802 - apsw's name
        """Open a file that fails."""
        return _File(self, name, flags)

    def call(self, kind: str) -> None:
        """Count a call, and fail it if it is the one."""
        number, self.counts[kind] = self.counts[kind], self.counts[kind] + 1
        fault = self._fault
        if fault and fault.kind == kind and (number == fault.number or (self._forever and number > fault.number)):
            self.was_raised = True
            raise fault.error


class _File(apsw.VFSFile):
    def __init__(self, files: FailingFiles, name: Any, flags: list[int]):
        self._files = files
        super().__init__("", name, flags)


def _failing(kind: str) -> Any:
    real = getattr(apsw.VFSFile, kind)

    def call(self: _File, *words: Any) -> Any:
        self._files.call(kind)
        return real(self, *words)

    return call


for _kind in KINDS:
    setattr(_File, _kind, _failing(_kind))
