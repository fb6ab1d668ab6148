"""Bringing the database to the schema of this program, once, however many processes start at the same time."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from playhouse.migrations import Runner

from app import errors
from app.models.database import db, forget_connection, statement, unrepeated

_DIRECTORY = Path(__file__).parent / "migrations"
_LOCK = 0x524F4C4C  # "ROLL": the number of the advisory lock on Postgres
_SYNCHRONOUS_FULL = 2
_LOCK_WAIT = "600s"  # a long migration of another process must end before ours may give up


@statement
def pending() -> list[str]:
    """Return the names of the migrations that this database still lacks, in order.

    Raises errors.Misconfigured when the database has migrations that this program does not know: it was written by a
    newer release. Raises errors.StorageUnavailable.
    """
    rows = _runner().status()
    unknown = [row.name for row in rows if row.path is None]
    if unknown:
        raise errors.Misconfigured(f"DATABASE_URL: the database belongs to a newer release (it has {unknown[0]}).")
    return [row.name for row in rows if row.applied is None]


@statement
def is_durable() -> bool:
    """Tell whether a commit on this connection waits for the disk. Raises errors.StorageUnavailable."""
    if db.dialect.name == "sqlite":
        return bool(db.execute_sql("PRAGMA synchronous").fetchone()[0] >= _SYNCHRONOUS_FULL)
    waits = "SELECT current_setting('fsync') = 'on' AND current_setting('synchronous_commit') <> 'off'"
    return bool(db.execute_sql(waits).fetchone()[0])


@unrepeated
def migrate() -> list[str]:
    """Apply what is pending and return the names; each migration is one transaction.

    Call it under `only_one`: the runner takes no lock itself. Raises errors.StorageUnavailable.
    """
    return list(_runner().up())


@contextlib.contextmanager
def only_one() -> Iterator[None]:
    """Hold the lock of those who make a database ready; others wait here until they are through.

    It is an advisory lock on Postgres, a lock on a file beside the SQLite file. Raises errors.StorageUnavailable.
    """
    if db.dialect.name == "sqlite":
        with _lock_file() as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        return
    _postgres_lock()
    try:
        yield
    finally:
        forget_connection()  # which ends the lock, and the long time-outs of the session with it


def _lock_file() -> TextIO:
    try:
        return Path(f"{db.database}.migrating").open("w")
    except OSError as error:
        raise errors.StorageUnavailable(f"The folder of the database cannot be written ({error.strerror}).") from None


@statement
def _postgres_lock() -> None:
    db.execute_sql(f"SET lock_timeout = '{_LOCK_WAIT}'")
    db.execute_sql(f"SET statement_timeout = '{_LOCK_WAIT}'")
    db.execute_sql("SELECT pg_advisory_lock(%s)", (_LOCK,))


def _runner() -> Runner:
    return Runner(db.obj, str(_DIRECTORY), table_name="schema_migrations")
