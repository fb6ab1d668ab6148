"""SQLite for peewee: a file that several processes write."""

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from itertools import repeat
from pathlib import Path
from typing import Any, ClassVar, cast

import apsw
import orjson
import peewee
from playhouse.apsw_ext import APSWDatabase

from app import errors, private_files
from app.config import NEEDS_FILE, Settings
from app.domain import dates, names
from app.models.dialects import SQLITE, Dialect
from app.models.stores.arrays import Rows, Run
from app.models.stores.driver import cause_of, chain, peewee_errors

_STEPS = 10_000  # of SQLite's machine between two looks at the clock: less than a millisecond
# Seconds between two tries to get the lock of the writer, who has it for a millisecond or two. With 0.5 ms two workers
# did 10,400 updates a second, and with 0.1 ms 13,200, for the same CPU time each; half of that gave no more.
_LOCK_PAUSE = 0.000_1
_SOON = 500  # tries; who has it so long does no commit
_LONG_LOCK_PAUSE = 0.005  # seconds
_MOMENT = 0.003  # seconds that the event loop waits for the lock: a commit of another worker takes less
# Pages in the log when a commit copies them, which keeps all who write waiting. With SQLite's own 1,000 the 99th
# percentile of updates was 5.2 medians, of events 5.1; with 400 3.3 and 3.1, for the same number a second.
_LOG_PAGES = 400
_CACHE_KIB = 32 * 1024  # of SQLite pages a connection; the default of 2 MiB made reads of 100,000 users miss


class SqliteStore(APSWDatabase):  # type: ignore[misc]
    """An SQLite file, written by any number of processes, durable at every commit."""

    dialect: ClassVar[Dialect] = SQLITE
    hurried: int | None = None  # the thread that must not wait
    behind = 0  # groups of writes that wait for the lock in a thread
    first_use: Callable[[], object] | None = None  # what makes the database ready before its first statement
    is_prepared = False  # whether this process has seen it migrated, with a workspace in it
    # What it says when it cannot serve just now; the rest, such as SQLError, are statements that are wrong.
    unavailable = (
        apsw.BusyError,
        apsw.LockedError,
        apsw.ReadOnlyError,
        apsw.IOError,
        apsw.FullError,
        apsw.CantOpenError,
        apsw.NoMemError,
        apsw.ProtocolError,
        apsw.InterruptError,
        apsw.CorruptError,
        apsw.NotADBError,
    )

    def _connect(self) -> Any:
        connection = self._open()
        # apsw binds no datetime; peewee's table of applied migrations has one.
        connection.convert_binding = lambda cursor, number, value: str(value)
        connection.set_busy_handler(self._wait)
        connection.create_scalar_function("erased_uid_hash", names.hash_of_uid, 2, deterministic=True)
        connection.create_scalar_function("refuse", _refuse, 0)
        connection.create_scalar_function("first_millisecond", _first_millisecond, 1, deterministic=True)
        connection.create_scalar_function("last_millisecond", _last_millisecond, 1, deterministic=True)
        # Else a statement is planned anew when a value changes that its planner looked at.
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
        return connection

    def _open(self) -> Any:
        """Open the file, and wait while another process makes it: SQLite refuses at once to change its journal then."""
        end = time.monotonic() + self.timeout
        with contextlib.suppress(OSError):  # SQLite says what is wrong; what it makes beside it has the same rights
            private_files.make_file(self.database)
        while True:
            try:
                return super()._connect()
            except apsw.BusyError:
                if time.monotonic() > end:
                    raise
                time.sleep(_LONG_LOCK_PAUSE)

    def _wait(self, times: int) -> bool:
        """Wait a little for a lock that was asked for so many times already; tell whether to ask once more.

        SQLite's own handler waits longer each time: of two workers the one that lost a few times starves.
        """
        soon = min(times, _SOON)
        waited = soon * _LOCK_PAUSE + (times - soon) * _LONG_LOCK_PAUSE
        time.sleep(_LOCK_PAUSE if times < _SOON else _LONG_LOCK_PAUSE)
        return bool(waited < (_MOMENT if self.is_hurried() else self.timeout))

    def hurry(self) -> None:
        """Let this thread wait no longer than a moment for the lock of a writer: it has others to answer."""
        self.hurried = threading.get_ident()

    def is_hurried(self) -> bool:
        """Return True if this thread is the one that must not wait."""
        return self.hurried == threading.get_ident()

    def is_locked_for_now(self, error: BaseException) -> bool:
        """Return True if a write failed as this thread does not wait for the lock."""
        return self.is_hurried() and any(isinstance(one, apsw.BusyError) for one in chain(error))

    def is_broken(self) -> bool:
        """Return True if the connection is lost. SQLite's never is."""
        return False

    def array(self, texts: Sequence[str]) -> str:
        """Return texts as the parameter of `Dialect.in_array`."""
        return orjson.dumps(texts).decode()

    def reading(self) -> contextlib.AbstractContextManager[None]:
        """Let all that is read meanwhile see one state, and take the lock of a reader once instead of each time."""
        return contextlib.nullcontext() if self.in_transaction() else _Reading(self.connection())

    def execute_sql(self, sql: str, params: Any = None) -> Any:
        """Run a statement; the first one has the database made ready."""
        if self.first_use is not None:
            first_use, self.first_use = self.first_use, None
            first_use()
        return super().execute_sql(sql, params)

    def run_all(self, calls: Sequence[Run]) -> list[list[tuple[Any, ...]]]:
        """Run SQL texts with their parameters, for each row of the columns if there are some; return all rows."""
        cursor = self.connection().cursor()  # one for all: peewee's way to each costs half as much as the statement
        with peewee_errors:
            return [_run(cursor, *call).fetchall() for call in calls]

    def write_many(self, text: str, fixed: tuple[Any, ...], columns: Sequence[Sequence[Any]]) -> int:
        """Run an SQL text once for each row, prepared once; return how many rows were written."""
        connection = self.connection()
        before = connection.total_changes()
        with peewee_errors:
            _run(connection.cursor(), text, fixed, columns)
        return int(connection.total_changes() - before)

    def insert_new(self, table: str, rows: Rows) -> int:
        """Insert the rows in their order until one is there already; return how many are in.

        A statement that fails undoes nothing but itself; a savepoint around all would take a third more time.
        """
        connection = self.connection()
        before = connection.total_changes()
        text = f"INSERT INTO {table} ({', '.join(rows)}) VALUES ({', '.join('?' * len(rows))})"
        with contextlib.suppress(peewee.IntegrityError), peewee_errors:
            _run(connection.cursor(), text, (), list(rows.values()))
        return int(connection.total_changes() - before)

    def run_within(self, text: str, parameters: tuple[Any, ...], milliseconds: int) -> list[tuple[Any, ...]] | None:
        """Run an SQL text that only reads; return its rows, None when it takes longer than that."""
        deadline, connection = time.monotonic() + milliseconds / 1000, cast("Any", self).connection()
        connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
        try:
            return cast("list[tuple[Any, ...]]", self.execute_sql(text, parameters).fetchall())
        except (apsw.InterruptError, peewee.OperationalError) as error:
            if not isinstance(cause_of(error), apsw.InterruptError):
                raise
            return None
        finally:
            connection.set_progress_handler(None)

    def commit(self) -> bool:
        """Commit. Raises peewee.OperationalError where SQLite has taken the transaction back by itself."""
        if self.is_closed() or not self.connection().in_transaction:
            raise peewee.OperationalError("SQLite has taken the transaction back.")
        return bool(super().commit())

    def drop_lost(self) -> None:
        """Do nothing: SQLite's connection is never lost."""

    def give_back(self) -> None:
        """Do nothing: there are as many connections as anybody wants."""

    def close_idle(self) -> None:
        """Do nothing: a thread keeps its connection."""

    def be_patient(self, seconds: float) -> None:
        """Do nothing: SQLite waits for nobody but for its lock."""

    def refused(self, error: BaseException) -> bool:
        """Return True if a COMMIT, or a statement that writes by itself, surely did nothing.

        After an I/O error the log may hold all of it, and whoever recovers the file finds it.
        """
        said = [one for one in chain(error) if isinstance(one, apsw.Error)]
        return self.is_closed() or (bool(said) and not any(isinstance(one, _UNCLEAR) for one in said))


# With these nobody knows how much reached the disk; others are a lock that was not to be had, or a statement refused.
_UNCLEAR = (
    apsw.IOError,
    apsw.FullError,
    apsw.CantOpenError,
    apsw.NoMemError,
    apsw.ProtocolError,
    apsw.InterruptError,
    apsw.CorruptError,
    apsw.NotADBError,
    apsw.InternalError,
)


class RefusedError(Exception):
    """A statement refused itself. It has the SQLSTATE of what Postgres says of it."""

    sqlstate = "40001"


def _refuse() -> None:
    raise RefusedError("The statement takes back what it did.")


def _first_millisecond(value: object) -> int | None:
    found = dates.span(value) if isinstance(value, str) else None
    return found[0] if found else None


def _last_millisecond(value: object) -> int | None:
    found = dates.span(value) if isinstance(value, str) else None
    return found[1] if found else None


class _Reading:
    """A transaction that only reads: not peewee's, which takes the lock of a writer."""

    __slots__ = ("_execute",)

    def __init__(self, connection: Any):
        self._execute = connection.execute

    def __enter__(self) -> None:
        with peewee_errors:
            self._execute("BEGIN")

    def __exit__(self, *_: object) -> None:
        with peewee_errors:
            self._execute("COMMIT")


def _run(cursor: Any, text: str, parameters: tuple[Any, ...], columns: Sequence[Sequence[Any]] | None) -> Any:
    if columns is None:
        return cursor.execute(text, parameters)
    return cursor.executemany(text, zip(*map(repeat, parameters), *columns))  # noqa: B905 - the parameters have no end


def make(settings: Settings) -> SqliteStore:
    """Return the database of these settings. Nothing is connected yet. Raises errors.Misconfigured."""
    if settings.sqlite_path in ("", ":memory:"):
        raise errors.Misconfigured(f"DATABASE_URL: {NEEDS_FILE}")
    try:
        private_files.make_folder(Path(settings.sqlite_path).parent)
    except OSError as error:
        raise errors.Misconfigured(f"DATABASE_URL: the folder of the file cannot be made ({error.strerror}).") from None
    return SqliteStore(
        settings.sqlite_path,
        pragmas=[
            ("journal_mode", "wal"),
            ("synchronous", "full"),
            ("foreign_keys", 1),
            ("secure_delete", 1),
            ("cache_size", -_CACHE_KIB),
            ("wal_autocheckpoint", _LOG_PAGES),
        ],
        timeout=settings.lock_timeout / 1000,
        lock_type="IMMEDIATE",
    )
