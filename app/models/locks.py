"""Process locks that end with their process: advisory locks on Postgres, file locks beside an SQLite file."""

import contextlib
import fcntl
from collections.abc import Iterator
from typing import TextIO

import peewee

from app import errors, private_files
from app.models.database import be_patient, db, forget_connection, statement

# The numbers of the advisory locks on Postgres: "ROLL" and the ones behind it.
MIGRATING, WORKING, SERVING, SWEEPING = "migrating", "working", "serving", "sweeping"
_NUMBERS = {MIGRATING: 0x524F4C4C, WORKING: 0x524F4C4D, SWEEPING: 0x524F4C53}
_LOCK_SECONDS = 600  # a long migration of another process must end before ours may give up


@contextlib.contextmanager
def wait_for(name: str) -> Iterator[None]:
    """Hold the lock of that name; others wait here until they are through. Raises errors.StorageUnavailable."""
    if db.dialect.name == "sqlite":
        with _file(name) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        return
    _wait_on_postgres(name)
    try:
        yield
    finally:
        forget_connection()  # which ends the lock, and the long time-outs of the session with it


@contextlib.contextmanager
def claim(name: str) -> Iterator[bool]:
    """Yield whether the lock of that name is ours, at once. Raises errors.StorageUnavailable."""
    if db.dialect.name == "sqlite":
        with _file(name) as file:
            yield _try(file, fcntl.LOCK_EX)
        return
    try:
        yield _try_on_postgres(name)
    finally:
        with contextlib.suppress(peewee.PeeweeException, errors.StorageUnavailable):
            db.execute_sql("SELECT pg_advisory_unlock_all()")  # the end of a session would, in its own time
        forget_connection()


def share_file(name: str) -> TextIO | None:
    """Take the lock of that name together with others, as long as the file answered is open in any process.

    Waits for one who has it alone. On Postgres there is none. Raises errors.StorageUnavailable.
    """
    if db.dialect.name != "sqlite":
        return None
    file = _file(name)
    fcntl.flock(file, fcntl.LOCK_SH)
    return file


def _file(name: str) -> TextIO:
    try:
        return open(f"{db.database}.{name}", "w", opener=private_files.open_file)
    except OSError as error:
        raise errors.StorageUnavailable(f"The folder of the database cannot be written ({error.strerror}).") from None


def _try(file: TextIO, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@statement
def _wait_on_postgres(name: str) -> None:
    be_patient(_LOCK_SECONDS + 1)
    db.execute_sql(f"SET lock_timeout = '{_LOCK_SECONDS}s'")
    db.execute_sql(f"SET statement_timeout = '{_LOCK_SECONDS}s'")
    db.execute_sql("SELECT pg_advisory_lock(%s)", (_NUMBERS[name],))


@statement
def _try_on_postgres(name: str) -> bool:
    return bool(db.execute_sql("SELECT pg_try_advisory_lock(%s)", (_NUMBERS[name],)).fetchone()[0])
