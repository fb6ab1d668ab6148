"""The two databases: connecting, failing, running several calls at once."""

from app.config import Settings
from app.models.stores import postgres, sqlite
from app.models.stores.arrays import Rows, Run
from app.models.stores.causes import Cause, cause
from app.models.stores.driver import DRIVER_ERRORS, LateError, chain, peewee_errors
from app.models.stores.postgres import PostgresStore
from app.models.stores.sqlite import SqliteStore

__all__ = [
    "DRIVER_ERRORS", "Cause", "LateError", "PostgresStore", "Rows", "Run", "SqliteStore", "cause", "chain",
    "make", "peewee_errors",
]  # fmt: skip


def make(settings: Settings) -> SqliteStore | PostgresStore:
    """Return the database of these settings. Nothing is connected yet. Raises errors.Misconfigured."""
    return sqlite.make(settings) if settings.is_sqlite else postgres.make(settings)
