"""The erasure journal as a file: it outlives the database, so that no backup brings a user back (docs/erasure.md).

A line is `WORKSPACE USER_HASH ERASED_AT`: a number, 64 hex digits, epoch milliseconds. Lines are only ever added.
"""

import contextlib
import fcntl
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from app import private_files

_LINE = re.compile(r"(\d{1,19}) ([0-9a-f]{64}) (\d{1,15})")


class Entry(NamedTuple):
    """A user who was erased: the workspace, the keyed hash of the internal id, epoch milliseconds."""

    workspace: int
    user_hash: str
    erased_at: int


def read(path: str) -> Iterator[Entry]:
    """Yield the entries of the file, none when there is no file. A line that a crash cut short is passed over.

    Raises OSError.
    """
    with contextlib.suppress(FileNotFoundError), Path(path).open(encoding="ascii", errors="replace") as file:
        for line in file:
            if found := _LINE.fullmatch(line.rstrip("\n")):
                yield Entry(int(found[1]), found[2], int(found[3]))


def append(path: str, entries: Iterable[Entry]) -> None:
    """Add the entries; when this returns they are on disk. Safe from many processes. Raises OSError."""
    is_new = not os.path.exists(path)
    file = private_files.open_file(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        lines = "".join(f"{one.workspace} {one.user_hash} {one.erased_at}\n" for one in entries)
        _write(file, _end_of_torn_line(file) + lines.encode())
        os.fsync(file)
    finally:
        os.close(file)
    if is_new:
        sync_folder(path)


def sync_folder(path: str) -> None:
    """See that the name of a file which was just made or renamed is on disk. Raises OSError."""
    folder = os.open(os.path.dirname(os.path.abspath(path)), os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _end_of_torn_line(file: int) -> bytes:
    size = os.fstat(file).st_size
    return b"\n" if size and os.pread(file, 1, size - 1) != b"\n" else b""


def _write(file: int, data: bytes) -> None:
    while data:  # a disk that is nearly full takes a part, and says why with the next call
        data = data[os.write(file, data) :]
