"""The SQLite file: may it be opened, and is it still the one that was opened?

Who moves the file away or puts another in its place does not stop a process that has it open: it goes on writing to
what nobody will read again.
"""

import os
from pathlib import Path

from app import errors
from app.models.database import db

_seen: dict[str, tuple[int, int]] = {}  # path -> device and inode; a worker has what its parent knew


def check_rights(path: str) -> None:
    """Raise errors.Misconfigured unless the file, what SQLite keeps beside it, and their folder may be written.

    A disk that is read-only is no missing right: it may be mounted anew, and until then writes are answered 503.
    """
    wanted = [(str(Path(path).absolute().parent), os.R_OK | os.W_OK | os.X_OK)]
    wanted += [(f"{path}{end}", os.R_OK | os.W_OK) for end in ("", "-wal", "-shm")]
    for one, rights in wanted:
        if os.path.exists(one) and not os.access(one, rights) and not _is_on_read_only_disk(one):
            raise errors.Misconfigured(
                f"DATABASE_URL: {one} cannot be read and written; give it to the user who runs the service."
            )


def _is_on_read_only_disk(path: str) -> bool:
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY)


def remember() -> None:
    """Note which file the database in use is, unless that is known. On Postgres there is none."""
    if db.obj.dialect.name == "sqlite":
        identity = _identity(str(db.database))
        if identity:
            _seen.setdefault(str(db.database), identity)


def known() -> str:
    """Return which file the database in use is, for `expect` in a process that is started; "" if unknown."""
    return ":".join(map(str, _seen.get(str(db.database), ()))) if db.obj.dialect.name == "sqlite" else ""


def expect(file: str) -> None:
    """Take no other file for the database in use, and make none in its place. file: what `known` told."""
    device, inode = map(int, file.split(":"))
    _seen[str(db.database)] = device, inode


def forget() -> None:
    """Expect another file from now on: a backup is about to take the place of the database."""
    _seen.pop(str(db.database), None)


def check() -> None:
    """Raise errors.StorageUnavailable when the file of the database in use is not the one that was opened."""
    known = _seen.get(str(db.database)) if db.obj.dialect.name == "sqlite" else None
    if known is None:
        return
    found = _identity(str(db.database))
    if found != known:
        what = "was replaced" if found else "was moved away"
        raise errors.StorageUnavailable(f"The database file {what}: put it back, or restart the service.")


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
