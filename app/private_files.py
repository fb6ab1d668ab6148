"""Files and folders that only their owner may open: they hold people and signing keys.

The umask is of no account: it may take rights away, and never gives any.
"""

import contextlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

FILE, FOLDER = 0o600, 0o700  # rights
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def open_file(path: str | Path, flags: int) -> int:
    """Open a file as `os.open` does, and return it. One that is made is its owner's alone. Raises OSError."""
    if not flags & os.O_CREAT:
        return os.open(path, flags)
    try:
        file = os.open(path, flags | os.O_EXCL, FILE)
    except FileExistsError:
        if flags & os.O_EXCL:
            raise
        return os.open(path, flags, FILE)
    os.fchmod(file, FILE)  # a umask may have taken them from the owner as well
    return file


def make_file(path: str | Path) -> None:
    """See that there is such a file, an empty one if it has to be made. Raises OSError.

    One that is there is not opened: to close it would end all locks that this process has on it (fcntl(2)), and who
    opens an SQLite file without them may take its log away from under others.
    """
    if not os.path.exists(path):
        with contextlib.suppress(FileExistsError):
            os.close(open_file(path, os.O_RDWR | os.O_CREAT | os.O_EXCL))


def make_folder(path: Path) -> None:
    """See that there is such a folder, and those above it. Raises OSError."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(FOLDER, exist_ok=True)
    path.chmod(FOLDER)


def open_to_others(paths: Iterable[str | Path]) -> list[str]:
    """Return those of the paths that are there and on which anybody but the owner has rights."""
    return [str(path) for path in paths if os.path.exists(path) and os.stat(path).st_mode & _OTHERS]
