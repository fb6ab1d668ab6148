"""The storage: prepare it at the start, and tell whether it works."""

import glob
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TextIO, TypeVar

from app import errors, logs, private_files
from app.config import Settings
from app.models import database, database_file, locks, schema
from app.models.database import db, forget_connection, open_database, transaction
from app.models.stores import pulse
from app.models.workspaces import try_write
from app.services import audit, erasures, marks, workspaces
from app.services.atomic import clients
from app.services.atomic.clients import ClientPair
from app.services.keys import KeyPair
from app.services.workspaces import NewWorkspace

T = TypeVar("T")
_preparing = threading.Lock()
_caught_up: set[str] = set()  # journals that agree with the database
_SLACK = 1.0  # seconds behind the deadline of an answer until a worker counts as one that asks in vain
_PATIENCE = 2.0  # seconds that a request waits for another one that is preparing, which has its own deadlines


def open(settings: Settings) -> None:
    """Make the database of these settings the one in use. Nothing is connected yet. Raises errors.Misconfigured."""
    if settings.is_sqlite:
        database_file.check_rights(settings.sqlite_path)
    open_database(settings)
    erasures.open_journal(settings.journal_path)
    erasures.keep_uids(settings.erased_uid_days)


def start(settings: Settings) -> NewWorkspace | None:
    """Prepare the database for a process that will serve, work or run a command. Returns and raises as `prepare`."""
    made = prepare(settings)
    marks.keep_ids_ahead()
    return made


def announce() -> TextIO | None:
    """Keep `rollcall restore` away while the file answered is open, here or in a process that was forked.

    On Postgres there is none: there the connections tell. Raises errors.StorageUnavailable.
    """
    return locks.share_file(locks.SERVING)


def warn_of_rights(settings: Settings) -> None:
    """Write one warning to the log if others than the owner may open the files of the database or their folder."""
    folder = Path(settings.sqlite_path).absolute().parent
    files = folder.glob(f"{glob.escape(Path(settings.sqlite_path).name)}*") if settings.is_sqlite else ()
    journal = [settings.journal_path] if settings.journal_path else []
    found = private_files.open_to_others({*([folder] if settings.is_sqlite else []), *files, *map(Path, journal)})
    if found:
        logs.warning(
            "open_to_others", paths=sorted(found), hint="chmod 700 the folder and 600 the files: they hold people"
        )


def disconnect() -> None:
    """Close the connection of this thread: before a fork, which must not share it."""
    if db.obj is not None:  # else the settings of the database would not do
        forget_connection()


def abandon_connections() -> None:
    """Forget, after a fork, whatever connection the parent had, without closing it under the parent's feet."""
    db.dispose()


def give_back_connection() -> None:
    """Let other threads use the connection of this one: at the end of a request."""
    database.give_back_connection()


def close_idle_connections() -> None:
    """Close idle connections of this process. Call from time to time."""
    database.close_idle_connections()


def hurry() -> None:
    """Let this thread, that of the event loop, wait for no lock of SQLite: `in_one_commit` raises errors.Locked."""
    database.hurry()


def fall_behind() -> None:
    """Note that a group of writes waits for the lock in a thread: those that come meanwhile are Locked at once."""
    database.fall_behind(1)


def catch_up() -> None:
    """Note that it is done."""
    database.fall_behind(-1)


def why(error: BaseException) -> str:
    """Return in a sentence why storage was not available, and what to do about it. error: what was raised."""
    return database.why(error)


def at_first_use(prepare: Callable[[], object]) -> None:
    """Prepare the database at its first use, by a request or by a query in an app context."""
    db.obj.first_use = prepare


def prepare_and_announce(settings: Settings, announce: Callable[[NewWorkspace], None]) -> None:
    """Prepare unless this process has done so, and announce the workspace if that made one. Raises as `prepare`."""
    if made := ensure_prepared(settings):
        announce(made)


def known_file() -> str:
    """Return which file the database is, for `expect_file` in another process; "" for Postgres, or if it is unknown."""
    return database_file.known()


def expect_file(file: str) -> None:
    """Answer errors.StorageUnavailable where the database file is another one, or gone."""
    database_file.expect(file)


def prepare(settings: Settings) -> NewWorkspace | None:
    """Migrate the database, create the default workspace if there is none, and erase users that a restore brought back.

    Returns the workspace if it was made now, with its secret.
    Cheap when there is nothing to do, and safe when many processes do it at once.
    Raises errors.StorageUnavailable, errors.Misconfigured.
    """
    made, db.obj.first_use = None, None
    database_file.check()
    if schema.pending() or not workspaces.everything():
        pair = KeyPair(settings.public_key, settings.secret_key) if settings.public_key else None
        with schema.only_one():
            schema.migrate()
            made = _ensure_default(settings, pair)
    _apply_journal(settings)
    database_file.remember()
    db.obj.is_prepared = True
    return made


@transaction
def _ensure_default(settings: Settings, pair: KeyPair | None) -> NewWorkspace | None:
    """Both, or neither: a workspace that is there gets no client at a later start."""
    made = workspaces.ensure_default(pair, settings.environment_id)
    if made and settings.client_id:
        client = ClientPair(settings.client_id, settings.client_secret, clients.AUTH)
        clients.create(workspaces.find(made.workspace), clients.AUTH, audit.SHELL, client)
    return made


def is_durable() -> bool:
    """Return True if an acknowledged write is on disk. Raises errors.StorageUnavailable."""
    return schema.is_durable()


def _apply_journal(settings: Settings) -> None:
    """Once in a process and those it forks: nothing but a restore takes entries out of the table."""
    if settings.journal_path not in _caught_up:
        erasures.catch_up()
        _caught_up.add(settings.journal_path)


def migrate() -> list[str]:
    """Apply what the database lacks and return the names of it. Raises as `prepare` does."""
    with schema.only_one():
        return schema.migrate()


def is_prepared() -> bool:
    """Return True if this process has seen the database ready."""
    return bool(db.obj.is_prepared)


def ensure_prepared(settings: Settings) -> NewWorkspace | None:
    """Prepare unless this process has done so.

    A database that was away at the start is made ready by the first request. Raises as `prepare` does.
    """
    if db.obj.is_prepared:
        return None
    if not _preparing.acquire(timeout=_PATIENCE):
        raise errors.StorageUnavailable()
    try:
        return None if db.obj.is_prepared else start(settings)
    finally:
        _preparing.release()


def in_one_commit(operation: Callable[[], T]) -> T:
    """Do what has transactions of its own in one around them all; they become savepoints. Call on SQLite only.

    Raises errors.NotDone, also for what the operation raises; errors.StorageUnavailable when nobody knows whether it
    was done.
    """
    return database.in_one_commit(operation)


def check() -> None:
    """Return when the database is reachable, migrated and takes a write, and answers every worker of this machine.

    Raises errors.StorageUnavailable otherwise.
    """
    seconds = database.answer_seconds()
    if seconds and (waiting := pulse.in_vain(seconds + _SLACK)):
        told = f"Worker {waiting.process} has had no answer from the database for {waiting.seconds:.0f} seconds."
        raise errors.StorageUnavailable(told)
    database_file.check()
    if schema.pending():
        raise errors.StorageUnavailable("The database is not migrated yet.")
    try_write()
