"""The connection, the transaction, and what happens when either breaks.

One connection is kept for each thread. Every access goes through `transaction` or `statement`, which run it again
where that is safe (a conflict, a connection that died) and raise errors.StorageUnavailable where it is not.
"""

import contextlib
import functools
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, ParamSpec, TypeVar, cast

import apsw
import peewee
import psycopg
from playhouse.apsw_ext import APSWDatabase

from app import errors
from app.config import Settings
from app.models.dialects import POSTGRES, SQLITE, Dialect

P = ParamSpec("P")
T = TypeVar("T")

_MAX_RETRIES = 3
_RETRY_PAUSE = 0.02  # seconds, doubled each time: lets the transaction that won finish
_CONNECT_TIMEOUT = 5  # seconds; a request waits this long at most to learn that Postgres is away
_NETWORK_TIME = 5_000  # milliseconds that an answer may be under way
_IDLE_TRANSACTION_TIMEOUT = 60_000  # milliseconds until Postgres ends a transaction whose process hangs
_CACHE_KIB = 32 * 1024  # of SQLite pages a connection; the default of 2 MiB made reads of 100,000 users miss

_CONFLICTS = {"40001", "40P01"}  # serialization failure, deadlock: Postgres asks for the transaction again
# The database in use; models and statements name this, create_app and the tests say which one it is.
db = peewee.DatabaseProxy()


_peewee_errors = peewee.__dict__["__exception_wrapper__"]  # the driver's errors as peewee's own


class BaseModel(peewee.Model):
    """Base of every table."""

    class Meta:
        database = db
        legacy_table_names = False


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
        return connection

    def is_broken(self) -> bool:
        """Tell whether the connection is lost. SQLite's never is."""
        return False

    def run_all(self, calls: Sequence[tuple[str, tuple[Any, ...]]]) -> list[list[tuple[Any, ...]]]:
        """Run SQL texts with their parameters; return the rows of each."""
        cursor = self.connection().cursor()  # one for all: peewee's way to each costs half as much as the statement
        with _peewee_errors:
            return [cursor.execute(text, parameters).fetchall() for text, parameters in calls]

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

    def run_all(self, calls: Sequence[tuple[str, tuple[Any, ...]]]) -> list[list[tuple[Any, ...]]]:
        """Send SQL texts with their parameters, wait once, return the rows of each."""
        connection = cast("Any", self).connection()
        with _peewee_errors, connection.pipeline():
            cursors = [connection.execute(text, parameters) for text, parameters in calls]
            return [cursor.fetchall() for cursor in cursors]

    def commit_all(self, calls: Sequence[tuple[str, tuple[Any, ...]]]) -> list[list[tuple[Any, ...]]]:
        """Run SQL texts in a transaction of their own, in one round trip; return the rows when it is on disk."""
        connection = cast("Any", self).connection()
        try:
            with _peewee_errors, connection.pipeline():
                connection.execute("BEGIN")
                cursors = [connection.execute(text, parameters) for text, parameters in calls]
                connection.execute("COMMIT")
                return [cursor.fetchall() for cursor in cursors]
        except peewee.PeeweeException:
            if not self.is_broken():
                connection.rollback()
            raise

    def is_broken(self) -> bool:
        """Tell whether the connection of this thread is lost."""
        return not self.is_closed() and bool(self._state.conn.closed)  # type: ignore[attr-defined]


def open_database(settings: Settings) -> SqliteStore | PostgresStore:
    """Make the database of these settings the one in use, and return it. Nothing is connected yet."""
    database = _sqlite(settings) if settings.is_sqlite else _postgres(settings)
    db.initialize(database)
    return database


def _sqlite(settings: Settings) -> SqliteStore:
    try:
        Path(settings.sqlite_path).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise errors.Misconfigured(f"DATABASE_URL: the folder of the file cannot be made ({error.strerror}).") from None
    return SqliteStore(
        settings.sqlite_path,
        pragmas=[
            ("busy_timeout", settings.lock_timeout),
            ("journal_mode", "wal"),
            ("synchronous", "full"),
            ("foreign_keys", 1),
            ("secure_delete", 1),
            ("cache_size", -_CACHE_KIB),
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


class Statement:
    """SQL that is written over a dialect, built once for each database and then only run.

    A peewee query would be built anew for every request, which costs more than running it (docs/decisions.md).
    """

    def __init__(self, build: Callable[[Dialect], str]):
        self._text = functools.cache(build)

    def __call__(self, *parameters: Any) -> list[tuple[Any, ...]]:
        """Run with the parameters in the order of the text; return all rows.

        All are fetched at once: an SQLite cursor that is left half read keeps its read transaction open.
        """
        with _peewee_errors:  # the commit of an SQLite statement comes with its last row, and may fail there
            return cast("list[tuple[Any, ...]]", db.execute_sql(self.text, parameters).fetchall())

    @property
    def text(self) -> str:
        """The SQL for the database in use."""
        return self._text(db.dialect)


class Call(NamedTuple):
    """A statement with its parameters, to be run among others."""

    statement: Statement
    parameters: tuple[Any, ...]


def run_all(calls: Sequence[Call]) -> list[list[tuple[Any, ...]]]:
    """Run the calls in order and return the rows of each; on Postgres they travel together, in one round trip.

    Call in a transaction: the first that fails spoils it. Calls that only read need none.
    """
    return cast("list[list[tuple[Any, ...]]]", db.run_all([(one.statement.text, one.parameters) for one in calls]))


def commit_all(calls: Sequence[Call]) -> list[list[tuple[Any, ...]]]:
    """Run the calls in one transaction, all or none, and return the rows of each when it is committed.

    Run again after a conflict only. Raises errors.StorageUnavailable: then nobody knows whether it was done.
    """
    texts = [(one.statement.text, one.parameters) for one in calls]
    return _persist(lambda: cast("list[list[tuple[Any, ...]]]", db.commit_all(texts)), lambda: False)


def transaction(operation: Callable[P, T]) -> Callable[P, T]:
    """Run the function in one transaction; inside another transaction, in a savepoint of it.

    It is run again after a conflict, or when the connection broke before the commit was sent: so it must not leave
    anything but rows behind. Raises errors.StorageUnavailable when the database cannot do it just now; after a
    connection lost during the commit itself nobody knows the outcome, so that is not run again.
    """

    @functools.wraps(operation)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        if db.in_transaction():
            with db.atomic():
                return operation(*args, **kwargs)

        def attempt() -> T:
            with db.atomic():
                result = operation(*args, **kwargs)
                attempt.committing = True  # type: ignore[attr-defined]
            return result

        attempt.committing = False  # type: ignore[attr-defined]
        return _persist(attempt, lambda: not attempt.committing)  # type: ignore[attr-defined]

    return run


def unrepeated(operation: Callable[P, T]) -> Callable[P, T]:
    """As `statement`, for what must not be done again on another connection. Raises errors.StorageUnavailable."""

    @functools.wraps(operation)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return _persist(lambda: operation(*args, **kwargs), lambda: False)

    return run


def statement(operation: Callable[P, T]) -> Callable[P, T]:
    """Run the function without a transaction around it: each statement in it is one of its own.

    For reads, and for writes that change nothing more when they are done twice. Raises errors.StorageUnavailable.
    """

    @functools.wraps(operation)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        if db.in_transaction():
            return operation(*args, **kwargs)
        return _persist(lambda: operation(*args, **kwargs), lambda: True)

    return run


def _persist(attempt: Callable[[], T], may_reconnect: Callable[[], bool]) -> T:
    for retry in range(_MAX_RETRIES + 1):
        try:
            return attempt()
        except (peewee.PeeweeException, errors.StorageUnavailable) as error:
            broken = db.is_broken()
            if broken or db.in_transaction():
                forget_connection()
            if retry < _MAX_RETRIES and (_is_conflict(error) or (broken and may_reconnect())):
                time.sleep(_RETRY_PAUSE * 2**retry)
            elif broken or any(isinstance(one, db.unavailable) for one in _chain(error)):
                raise errors.StorageUnavailable() from error
            else:
                raise
    raise AssertionError("unreachable")


def forget_connection() -> None:
    """Close the connection of this thread, whatever state it is in; the next statement opens a new one."""
    connection = None if db.is_closed() else db.connection()
    db.dispose()
    if connection is not None:
        with contextlib.suppress(Exception):  # it is of no use any more, and neither is why it will not close
            connection.close()


def _is_conflict(error: BaseException) -> bool:
    return any(getattr(one, "sqlstate", None) in _CONFLICTS for one in _chain(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from: peewee wraps the driver's error, a failed rollback hides the one before."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__context__
