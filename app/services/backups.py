"""Backup and restore: one file with all data, made while the service runs (docs/backup.md)."""

import os
from pathlib import Path

from app import errors
from app.config import Settings
from app.models import backups as store
from app.models import schema
from app.models.database import db
from app.models.erasures import journal
from app.services import erasures, workspaces


def backup(path: str, force: bool = False) -> int:
    """Write all that was acknowledged up to now to the file and return its size in bytes; it is there whole or not.

    force: whether a file of that name may be replaced. Raises errors.Conflict, Misconfigured, StorageUnavailable.
    """
    if os.path.exists(path) and not force:
        raise errors.Conflict(f"{path} is there already; --force replaces it.")
    if schema.is_empty():
        raise errors.Conflict("There is nothing in this database.")
    unfinished = f"{path}.{os.getpid()}.unfinished"
    try:
        store.write(unfinished)
        os.replace(unfinished, path)
        journal.sync_folder(path)
        return os.path.getsize(path)
    except OSError as error:
        raise errors.StorageUnavailable(f"The backup cannot be written ({error.strerror}).") from None
    finally:
        Path(unfinished).unlink(missing_ok=True)


def restore(settings: Settings, path: str, force: bool = False) -> int:
    """Replace the database by the backup, migrate it, and erase the users that the journal names.

    force: whether a database with workspaces may be replaced. Returns how many users were erased again.
    Raises errors.Conflict while the service runs, errors.InvalidInput for a file that will not do, Misconfigured,
    StorageUnavailable; then the database is as it was.
    """
    store.check(path)
    with store.nobody_else():
        if not settings.journal_path:  # so that a crash on the way loses nobody; the next restore of the file reads it
            erasures.open_journal(f"{path}.erasures")
        _take_leave(force)
        store.replace(path)
    with schema.only_one():
        schema.migrate()
    again = erasures.catch_up()
    db.obj.is_prepared = True
    return again


def _take_leave(force: bool) -> None:
    """See that the database may go, and that the file of the journal has all that its table has."""
    try:
        if not force and not schema.is_empty() and workspaces.everything():
            raise errors.Conflict("The database has workspaces; --force replaces it with the backup.")
        if schema.has_table("erasures"):
            erasures.write_down(erasures.known())
    except errors.StorageUnavailable:
        if not force:  # it may be damaged, which is why it is replaced
            raise
