"""The two databases as peewee knows them: how each connects, what it says when it is away, how it runs many calls."""

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat
from pathlib import Path
from typing import Any, ClassVar, cast

import apsw
import orjson
import peewee
import psycopg
from playhouse.apsw_ext import APSWDatabase

from app import errors
from app.config import Settings
from app.models.dialects import POSTGRES, SQLITE, Dialect

_CONNECT_TIMEOUT = 5  # seconds; a request waits this long at most to learn that Postgres is away
_NETWORK_TIME = 5_000  # milliseconds that an answer may be under way
_IDLE_TRANSACTION_TIMEOUT = 60_000  # milliseconds until Postgres ends a transaction whose process hangs
_STEPS = 10_000  # of SQLite's machine between two looks at the clock: less than a millisecond
_LOCK_PAUSE = 0.000_5  # seconds between two tries to get the lock of the writer: a commit takes some milliseconds
_SOON = 100  # tries; who has it so long does no commit
_LONG_LOCK_PAUSE = 0.005  # seconds
_CACHE_KIB = 32 * 1024  # of SQLite pages a connection; the default of 2 MiB made reads of 100,000 users miss
# 16 MiB, after which a commit copies the WAL into the file while others wait: with the default of 4 MiB the 99th
# percentile of a group of events was 29 ms, and so 21; of updates 24 and 15.
_WAL_PAGES = 4_000

peewee_errors = peewee.__dict__["__exception_wrapper__"]  # the driver's errors as peewee's own


def make(settings: Settings) -> "SqliteStore | PostgresStore":
    """Return the database of these settings. Nothing is connected yet. Raises errors.Misconfigured."""
    return _sqlite(settings) if settings.is_sqlite else _postgres(settings)


class SqliteStore(APSWDatabase):  # type: ignore[misc]
    """An SQLite file, written by any number of processes, durable at every commit."""

    dialect: ClassVar[Dialect] = SQLITE
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
        connection = super()._connect()
        # apsw binds no datetime; peewee's table of applied migrations has one.
        connection.convert_binding = lambda cursor, number, value: str(value)
        connection.set_busy_handler(self._wait)
        return connection

    def _wait(self, times: int) -> bool:
        """Wait a little for a lock that was asked for so many times already; tell whether to ask once more.

        SQLite's own handler waits longer each time, up to 100 ms: the one of two workers that lost a few times was 20
        times slower than the other.
        """
        soon = min(times, _SOON)
        waited = soon * _LOCK_PAUSE + (times - soon) * _LONG_LOCK_PAUSE
        time.sleep(_LOCK_PAUSE if times < _SOON else _LONG_LOCK_PAUSE)
        return bool(waited < self.timeout)

    def is_broken(self) -> bool:
        """Tell whether the connection is lost. SQLite's never is."""
        return False

    def array(self, texts: Sequence[str]) -> str:
        """Return texts as the parameter of `Dialect.in_array`."""
        return orjson.dumps(texts).decode()

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Let all that is read meanwhile see one state, and take the lock of a reader once instead of each time."""
        if self.in_transaction():  # which sees one state already
            yield
            return
        connection = self.connection()
        with peewee_errors:
            connection.execute("BEGIN")  # not peewee's, which takes the lock of a writer
            try:
                yield
            finally:
                connection.execute("COMMIT")

    def run_all(self, calls: Sequence[tuple[str, tuple[Any, ...]]]) -> list[list[tuple[Any, ...]]]:
        """Run SQL texts with their parameters; return the rows of each."""
        cursor = self.connection().cursor()  # one for all: peewee's way to each costs half as much as the statement
        with peewee_errors:
            return [cursor.execute(text, parameters).fetchall() for text, parameters in calls]

    def run_many(self, text: str, fixed: tuple[Any, ...], rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Run an SQL text once for each row, prepared once; return all rows that it answers."""
        with peewee_errors:
            answers = self.connection().cursor().executemany(text, [fixed + row for row in rows])
            return cast("list[tuple[Any, ...]]", answers.fetchall())

    def write_many(self, text: str, fixed: tuple[Any, ...], columns: Sequence[Sequence[Any]]) -> int:
        """Run an SQL text once for each row, prepared once; return how many rows were written."""
        connection = self.connection()
        before = connection.total_changes()
        with peewee_errors:
            connection.cursor().executemany(text, zip(*map(repeat, fixed), *columns))  # noqa: B905 - fixed has no end
        return int(connection.total_changes() - before)

    def insert_new(self, table: str, columns: Mapping[str, Sequence[Any]]) -> bool:
        """Insert the rows that are new; tell whether they all were. A savepoint would take a third more time."""
        text = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
        rows = list(columns.values())
        return self.write_many(f"{text} ON CONFLICT DO NOTHING", (), rows) == len(rows[0])

    def run_within(self, text: str, parameters: tuple[Any, ...], milliseconds: int) -> list[tuple[Any, ...]] | None:
        """Run an SQL text that only reads; return its rows, None when it takes longer than that."""
        deadline, connection = time.monotonic() + milliseconds / 1000, cast("Any", self).connection()
        connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
        try:
            return cast("list[tuple[Any, ...]]", self.execute_sql(text, parameters).fetchall())
        except (apsw.InterruptError, peewee.OperationalError) as error:
            if not isinstance(_driver(error), apsw.InterruptError):
                raise
            return None
        finally:
            connection.set_progress_handler(None)

    def commit_all(self, calls: Sequence[tuple[str, tuple[Any, ...]]]) -> list[list[tuple[Any, ...]]]:
        """Run SQL texts in a transaction of their own; return the rows of each when it is on disk."""
        with self.atomic():
            return self.run_all(calls)


class PostgresStore(peewee.PostgresqlDatabase):
    """A Postgres database, named by its URL."""

    dialect: ClassVar[Dialect] = POSTGRES
    is_prepared = False
    unavailable = (peewee.OperationalError, peewee.InterfaceError, peewee.InternalError)
    session_settings: ClassVar[dict[str, int]] = {}

    def _initialize_connection(self, conn: Any) -> None:
        """Set the time-outs, and make a commit mean disk even where the server's default does not."""
        for name, milliseconds in self.session_settings.items():
            conn.execute("SELECT set_config(%s, %s, false)", (name, str(milliseconds)))
        if conn.execute("SHOW synchronous_commit").fetchone()[0] == "off":
            conn.execute("SET synchronous_commit = on")

    def get_tables(self, schema: str | None = None) -> list[str]:
        """Return the names of the tables; the partitions of one are no tables of their own."""
        found = cast("Any", self).execute_sql("SELECT relname FROM pg_class WHERE relispartition")
        partitions = {name for (name,) in found.fetchall()}
        return [name for name in super().get_tables(schema) if name not in partitions]

    def reading(self) -> contextlib.AbstractContextManager[None]:
        """Do nothing: what is read together here is one statement each."""
        return contextlib.nullcontext()

    def run_all(self, calls: Sequence[tuple[str, tuple[Any, ...]]]) -> list[list[tuple[Any, ...]]]:
        """Send SQL texts with their parameters, wait once, return the rows of each."""
        connection = cast("Any", self).connection()
        if len(calls) == 1:  # a pipeline of one takes 20 us more
            return [self._rows(connection, *calls[0])]
        with peewee_errors, connection.pipeline():
            cursors = [connection.execute(text, parameters) for text, parameters in calls]
            return [cursor.fetchall() for cursor in cursors]

    def run_many(self, text: str, fixed: tuple[Any, ...], rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Run an SQL text once, the rows as an array a column; return all rows that it answers."""
        connection = cast("Any", self).connection()
        arrays = [_array(column) for column in zip(*rows, strict=True)]
        with peewee_errors:
            return cast("list[tuple[Any, ...]]", connection.execute(text, (*fixed, *arrays)).fetchall())

    def write_many(self, text: str, fixed: tuple[Any, ...], columns: Sequence[Sequence[Any]]) -> int:
        """Run an SQL text once, the rows as an array a column; return how many rows were written."""
        connection = cast("Any", self).connection()
        with peewee_errors:
            return int(connection.execute(text, (*fixed, *map(_array, columns))).rowcount)

    def insert_new(self, table: str, columns: Mapping[str, Sequence[Any]]) -> bool:
        """Insert the rows by COPY if all of them are new; tell whether they were."""
        cursor = cast("Any", self).connection().cursor()
        copy = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
        try:
            with self.atomic(), peewee_errors, cursor.copy(copy) as stream:
                stream.write(_copied(list(columns.values())))
        except peewee.IntegrityError:
            return False
        return True

    def run_within(self, text: str, parameters: tuple[Any, ...], milliseconds: int) -> list[tuple[Any, ...]] | None:
        """Run an SQL text that only reads; return its rows, None when it takes longer than that."""
        run = cast("Any", self).execute_sql
        try:
            with self.atomic():
                run("SELECT set_config('statement_timeout', %s, true)", (str(milliseconds),))
                return cast("list[tuple[Any, ...]]", run(text, parameters).fetchall())
        except peewee.OperationalError as error:
            if not isinstance(_driver(error), psycopg.errors.QueryCanceled):
                raise
            return None

    def commit_all(self, calls: Sequence[tuple[str, tuple[Any, ...]]]) -> list[list[tuple[Any, ...]]]:
        """Run SQL texts in a transaction of their own, in one round trip; return the rows when it is on disk."""
        connection = cast("Any", self).connection()
        if len(calls) == 1:  # it is a transaction by itself
            return [self._rows(connection, *calls[0])]
        try:
            with peewee_errors, connection.pipeline():
                connection.execute("BEGIN")
                cursors = [connection.execute(text, parameters) for text, parameters in calls]
                connection.execute("COMMIT")
                return [cursor.fetchall() for cursor in cursors]
        except peewee.PeeweeException:
            if not self.is_broken():
                connection.rollback()
            raise

    @staticmethod
    def _rows(connection: Any, text: str, parameters: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        with peewee_errors:
            return cast("list[tuple[Any, ...]]", connection.execute(text, parameters).fetchall())

    def array(self, values: Sequence[Any]) -> str:
        """Return texts as the parameter of `Dialect.in_array`; any column as one of `dialects.given`."""
        return _array(values)

    def is_broken(self) -> bool:
        """Tell whether the connection of this thread is lost."""
        return not self.is_closed() and bool(self._state.conn.closed)  # type: ignore[attr-defined]


def _driver(error: BaseException) -> BaseException:
    """What the driver said, before peewee made it one of its own."""
    return error.__cause__ or error.__context__ or error


def _array(values: Sequence[Any]) -> str:
    """An array as Postgres reads it, with what no text can have in place of the commas and NULLs until all is escaped.

    psycopg's own way, which dumps each element by itself, takes ten times as long.
    """
    escaped = _BETWEEN.join(_texts(values)).replace("\\", "\\\\").replace('"', '\\"').replace(_BETWEEN, '","')
    return f'{{"{escaped}"}}'.replace(f'"{_NO_TEXT}"', "NULL")


def _copied(columns: Sequence[Sequence[Any]]) -> bytes:
    """Rows as COPY reads them, made in the same way as an array."""
    text = _END_OF_ROW.join(map(_BETWEEN.join, zip(*map(_texts, columns), strict=True)))
    for plain, escaped in _ESCAPED_IN_COPY:
        text = text.replace(plain, escaped)
    return text.encode()


def _texts(values: Sequence[Any]) -> list[str]:
    return [one if one.__class__ is str else _NO_TEXT if one is None else str(one) for one in values]


# What no text has, as strict_json lets none in.
_BETWEEN, _NO_TEXT, _END_OF_ROW = "\x00", "\ud800", "\ud801"
_ESCAPED_IN_COPY = (
    ("\\", "\\\\"), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"),
    (_BETWEEN, "\t"), (_END_OF_ROW, "\n"), (_NO_TEXT, "\\N"),
)  # fmt: skip


def _sqlite(settings: Settings) -> SqliteStore:
    try:
        Path(settings.sqlite_path).parent.mkdir(parents=True, exist_ok=True)
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
            ("wal_autocheckpoint", _WAL_PAGES),
        ],
        timeout=settings.lock_timeout / 1000,
        lock_type="IMMEDIATE",
    )


def _postgres(settings: Settings) -> PostgresStore:
    try:
        psycopg.conninfo.conninfo_to_dict(settings.database_url)
    except psycopg.ProgrammingError:  # its message may quote the password
        raise errors.Misconfigured("DATABASE_URL: Must be a URL that libpq understands.") from None
    database = PostgresStore(
        settings.database_url.replace("postgres://", "postgresql://", 1),
        prefer_psycopg3=True,
        prepare_threshold=1 if settings.prepare_statements else None,
        connect_timeout=_CONNECT_TIMEOUT,
        tcp_user_timeout=settings.statement_timeout + _NETWORK_TIME,  # a host that is gone answers no statement_timeout
        application_name="rollcall",
    )
    database.session_settings = {  # type: ignore[misc]
        "statement_timeout": settings.statement_timeout,
        "lock_timeout": settings.lock_timeout,
        "idle_in_transaction_session_timeout": _IDLE_TRANSACTION_TIMEOUT,
    }
    return database
