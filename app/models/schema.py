"""Migrations: bring the database to the current schema once, however many processes start."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path

from playhouse.migrations import Runner

from app import errors
from app.models import locks, statistics
from app.models.database import db, statement, unrepeated

_DIRECTORY = Path(__file__).parent / "migrations"
_SYNCHRONOUS_FULL = 2


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
    """Return True if a commit on this connection waits for the disk. Raises errors.StorageUnavailable."""
    if db.dialect.name == "sqlite":
        return bool(db.execute_sql("PRAGMA synchronous").fetchone()[0] >= _SYNCHRONOUS_FULL)
    waits = "SELECT current_setting('fsync') = 'on' AND current_setting('synchronous_commit') <> 'off'"
    return bool(db.execute_sql(waits).fetchone()[0])


def unknown(names: Iterable[str]) -> list[str]:
    """Return those of the names of applied migrations that this program does not know."""
    return sorted(set(names) - {one.stem for one in _DIRECTORY.glob("[0-9]*.py")})


@statement
def has_table(name: str) -> bool:
    """Return True if the database has a table of that name. Raises errors.StorageUnavailable."""
    return name in db.get_tables()


def is_empty() -> bool:
    """Return True if the database has none of our tables. Raises errors.StorageUnavailable."""
    return not has_table("workspaces")


@unrepeated
def migrate() -> list[str]:
    """Apply what is pending and return the names; each migration is one transaction.

    Call it under `only_one`: the runner takes no lock itself. Raises errors.StorageUnavailable.
    """
    applied = list(_runner().up())
    if applied:
        statistics.write()
    return applied


def only_one() -> AbstractContextManager[None]:
    """Hold the lock of those who make a database ready; others wait until they are through.

    Raises errors.StorageUnavailable.
    """
    return locks.wait_for(locks.MIGRATING)


def _runner() -> Runner:
    return Runner(db.obj, str(_DIRECTORY), table_name="schema_migrations")
