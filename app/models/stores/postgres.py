"""Postgres for peewee."""

import collections
import contextlib
import functools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, cast

import peewee
import psycopg
from psycopg.pq import TransactionStatus

from app import errors, waiting
from app.config import Settings
from app.models.dialects import POSTGRES, Dialect
from app.models.stores import pulse
from app.models.stores.answers import check_commit, close, is_lost, is_refusal, wait
from app.models.stores.arrays import Rows, Run, array
from app.models.stores.causes import cause
from app.models.stores.driver import cause_of, chain, peewee_errors

_CONNECT_TIMEOUT = 2, 5  # seconds that a request waits at least and at most to learn that Postgres is away
_LATE = 1.0  # seconds behind ROLLCALL_STATEMENT_TIMEOUT after which an answer is waited for no longer
_IDLE_TRANSACTION_TIMEOUT = 60_000  # milliseconds until Postgres ends a transaction whose process hangs
_KEPT_SECONDS = 5.0  # that a connection idles until it is closed
_PAUSE = 0.05  # seconds between two tries to get a connection where there are too few
_KEEPALIVE = {"keepalives": 1, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}  # seconds


class PostgresStore(peewee.PostgresqlDatabase):
    """A Postgres database, named by its URL.

    A thread has a connection of its own. Those that a thread gave back are kept for a while, for whichever needs one.
    """

    dialect: ClassVar[Dialect] = POSTGRES
    is_prepared = False
    unavailable = (peewee.OperationalError, peewee.InterfaceError, peewee.InternalError)
    session_settings: ClassVar[dict[str, int]] = {}
    # What each transaction says of itself where a pooler gives it whichever server connection is free; "" elsewhere.
    preamble = ""
    behind = 0
    first_use: Callable[[], object] | None = None  # what makes the database ready before its first statement
    deadline = 0.0  # seconds that an answer is waited for
    lock_seconds = 0.0  # that a connection is waited for where there are too few

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        # Each thread has a connection of its own. With peewee's lock the event loop would wait for all that connect.
        self._lock = contextlib.nullcontext()
        self._idle: collections.deque[tuple[float, Any]] = collections.deque()  # since when, the one used last behind

    # ---- connections ----------------------------------------------------------------------------------------------

    def _connect(self) -> Any:
        """Return a connection that idles, else a new one; where Postgres has none left wait for a while."""
        end = time.monotonic() + self.lock_seconds
        while True:
            if connection := self._take_idle():
                return connection
            pulse.asks()
            try:
                connection = waiting.blocking(super()._connect)  # type: ignore[misc]
            except psycopg.OperationalError as error:
                if cause(error).name != "too_many_connections" or time.monotonic() > end:
                    raise
                pulse.note_scarcity()
                waiting.sleep(_PAUSE)
            else:
                pulse.answered()
                connection.deadline = self.deadline
                connection.wait = functools.partial(wait, connection)
                return connection

    def _initialize_connection(self, conn: Any) -> None:
        """Set the time-outs, and make a commit mean disk even where the server's default does not."""
        if hasattr(conn, "kept_cursor"):  # it was used before
            return
        if not self.preamble:
            for name, milliseconds in self.session_settings.items():
                conn.execute("SELECT set_config(%s, %s, false)", (name, str(milliseconds)))
            if conn.execute("SHOW synchronous_commit").fetchone()[0] == "off":
                conn.execute("SET synchronous_commit = on")
        conn.kept_cursor = conn.cursor()

    def give_back(self) -> None:
        """Let others use the connection of this thread; where connections are scarce, other processes too."""
        if self.is_closed() or self.in_transaction():
            return
        connection = self._state.conn  # type: ignore[attr-defined]
        self._state.reset()  # type: ignore[attr-defined]
        if pulse.is_scarce():
            close(connection)
        else:
            self._idle.append((time.monotonic(), connection))

    def close_idle(self) -> None:
        """Close idle connections."""
        before = time.monotonic() - (0.0 if pulse.is_scarce() else _KEPT_SECONDS)
        with contextlib.suppress(IndexError):
            while self._idle and self._idle[0][0] < before:
                close(self._idle.popleft()[1])

    def _take_idle(self) -> Any:
        with contextlib.suppress(IndexError):
            while True:
                _, connection = self._idle.pop()
                if not is_lost(connection):
                    return connection
                close(connection)
        return None

    def hurry(self) -> None:
        """Do nothing: here the event loop goes on while it waits."""

    def is_locked_for_now(self, error: BaseException) -> bool:
        """Tell that it is not so."""
        return False

    def be_patient(self, seconds: float) -> None:
        """Wait so long for each answer on the connection of this thread, as long as it is open."""
        cast("Any", self).connection().deadline = seconds

    # ---- statements -----------------------------------------------------------------------------------------------

    def begin(self, isolation_level: Any = None) -> None:
        """Begin a transaction."""
        if not self.preamble:
            super().begin(isolation_level)
            return
        connection = cast("Any", self).connection()
        with peewee_errors, connection.pipeline():
            connection.execute("BEGIN")
            connection.execute(self.preamble)

    def execute_sql(self, sql: str, params: Any = None) -> Any:
        """Run a statement; behind a pooler one without a transaction has one of its own."""
        if self.first_use is not None:
            first_use, self.first_use = self.first_use, None
            first_use()
        if self.preamble and sql.startswith(_PLAIN) and not self.in_transaction():
            with peewee_errors:
                return self._run_alone(cast("Any", self).connection(), sql, params)
        return super().execute_sql(sql, params)  # type: ignore[no-untyped-call]

    def _run_alone(self, connection: Any, text: str, parameters: Any) -> Any:
        with connection.pipeline():
            connection.execute("BEGIN")
            connection.execute(self.preamble)
            cursor = connection.execute(text, parameters)
            end = connection.execute("COMMIT")
        check_commit(end)
        return cursor

    def get_tables(self, schema: str | None = None) -> list[str]:
        """Return the names of the tables; the partitions of one are no tables of their own."""
        found = cast("Any", self).execute_sql("SELECT relname FROM pg_class WHERE relispartition")
        partitions = {name for (name,) in found.fetchall()}
        return [name for name in super().get_tables(schema) if name not in partitions]

    def reading(self) -> contextlib.AbstractContextManager[None]:
        """Do nothing: what is read together here is one statement each."""
        return contextlib.nullcontext()

    def run_all(self, calls: Sequence[Run]) -> list[list[tuple[Any, ...]]]:
        """Send SQL texts with their parameters, wait once, return the rows of each; columns are sent as arrays."""
        connection, wanted = cast("Any", self).connection(), list(map(_with_arrays, calls))
        if len(wanted) == 1:  # a pipeline of one takes longer
            return [self._rows(connection, *wanted[0])]
        with peewee_errors, connection.pipeline():
            cursors = [connection.execute(text, parameters) for text, parameters in wanted]
            return [cursor.fetchall() for cursor in cursors]

    def write_many(self, text: str, fixed: tuple[Any, ...], columns: Sequence[Sequence[Any]]) -> int:
        """Run an SQL text once, the rows as an array a column; return how many rows were written."""
        connection = cast("Any", self).connection()
        with peewee_errors:
            return int(connection.execute(text, (*fixed, *map(array, columns))).rowcount)

    def insert_new(self, table: str, rows: Rows) -> int:
        """Insert the rows by COPY if all of them are new; return how many are in: all or none."""
        cursor = cast("Any", self).connection().cursor()
        copy = f"COPY {table} ({', '.join(rows)}) FROM STDIN"
        try:
            with self.atomic(), peewee_errors, cursor.copy(copy) as stream:
                stream.write(rows.copied)
        except peewee.IntegrityError:
            return 0
        return len(next(iter(rows.values())))

    def run_within(self, text: str, parameters: tuple[Any, ...], milliseconds: int) -> list[tuple[Any, ...]] | None:
        """Run an SQL text that only reads; return its rows, None when it takes longer than that."""
        run = cast("Any", self).execute_sql
        try:
            with self.atomic():
                run("SELECT set_config('statement_timeout', %s, true)", (str(milliseconds),))
                return cast("list[tuple[Any, ...]]", run(text, parameters).fetchall())
        except peewee.OperationalError as error:
            if not isinstance(cause_of(error), psycopg.errors.QueryCanceled):
                raise
            return None

    def commit_all(self, calls: Sequence[Run]) -> list[list[tuple[Any, ...]]]:
        """Run SQL texts in a transaction of their own, in one round trip; return the rows when it is on disk."""
        connection, wanted = cast("Any", self).connection(), list(map(_with_arrays, calls))
        if len(wanted) == 1:  # it is a transaction by itself
            return [self._rows(connection, *wanted[0])]
        with peewee_errors, connection.pipeline():
            connection.execute("BEGIN")
            if self.preamble:
                connection.execute(self.preamble)
            cursors = [connection.execute(text, parameters) for text, parameters in wanted]
            end = connection.execute("COMMIT")
            rows = [cursor.fetchall() for cursor in cursors]
        check_commit(end)
        return rows

    def commit(self) -> None:
        """Commit. Raises peewee.InternalError where a statement had failed, so that Postgres took all back."""
        with peewee_errors:
            check_commit(cast("Any", self).connection().execute("COMMIT"))

    def drop_lost(self) -> None:
        """Give up a connection that Postgres has ended meanwhile, before anything is sent on it.

        Nothing comes unasked on a connection that idles but its end, and the notice of it.
        """
        if self.is_closed() or self.in_transaction():
            return
        connection = self._state.conn  # type: ignore[attr-defined]
        if is_lost(connection):
            self.dispose()
            close(connection)

    def refused(self, error: BaseException) -> bool:
        """Return True if a COMMIT, or a statement that writes by itself, surely did nothing.

        So it is when there was no connection, and when Postgres itself refused a statement and the connection goes on
        after a rollback. A server that is about to end says FATAL; what a pooler says of its server is of class 08.
        """
        if self.is_closed():
            return True
        said = [one for one in chain(error) if isinstance(one, psycopg.Error)]
        return bool(said) and all(map(is_refusal, said)) and self._can_go_on()

    def _can_go_on(self) -> bool:
        connection = self._state.conn  # type: ignore[attr-defined]
        with contextlib.suppress(psycopg.Error):
            if not connection.closed:
                connection.rollback()
        return not connection.closed and connection.info.transaction_status == TransactionStatus.IDLE

    def _rows(self, connection: Any, text: str, parameters: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        """Run a statement by the cursor that is kept: a new one finds out anew how to dump and load each type."""
        with peewee_errors:
            if self.preamble and not self.in_transaction():
                return cast("list[tuple[Any, ...]]", self._run_alone(connection, text, parameters).fetchall())
            return cast("list[tuple[Any, ...]]", connection.kept_cursor.execute(text, parameters).fetchall())

    def array(self, values: Sequence[Any]) -> str:
        """Return texts as the parameter of `Dialect.in_array`; any column as one of `dialects.given`."""
        return array(values)

    def is_broken(self) -> bool:
        """Return True if the connection of this thread is lost."""
        return not self.is_closed() and bool(self._state.conn.closed)  # type: ignore[attr-defined]


def _with_arrays(call: Run) -> tuple[str, tuple[Any, ...]]:
    text, parameters, columns = call
    return text, (*parameters, *map(array, columns or ()))


# Statements that may stand in a transaction, which a VACUUM may not.
_PLAIN = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")


def make(settings: Settings) -> PostgresStore:
    """Return the database of these settings. Nothing is connected yet. Raises errors.Misconfigured."""
    try:
        psycopg.conninfo.conninfo_to_dict(settings.database_url)
    except psycopg.ProgrammingError:  # its message may quote the password
        raise errors.Misconfigured("DATABASE_URL: Must be a URL that libpq understands.") from None
    database = PostgresStore(
        settings.database_url.replace("postgres://", "postgresql://", 1),
        prefer_psycopg3=True,
        prepare_threshold=None if settings.is_pooled else 1,
        connect_timeout=min(max(_CONNECT_TIMEOUT[0], settings.statement_timeout // 1000), _CONNECT_TIMEOUT[1]),
        tcp_user_timeout=settings.statement_timeout + round(_LATE * 1000),  # a host that is gone answers no time-out
        application_name="rollcall",
        **_KEEPALIVE,
    )
    database.session_settings = {  # type: ignore[misc]
        "statement_timeout": settings.statement_timeout,
        "lock_timeout": settings.lock_timeout,
        "idle_in_transaction_session_timeout": _IDLE_TRANSACTION_TIMEOUT,
    }
    database.deadline = settings.statement_timeout / 1000 + _LATE
    database.lock_seconds = settings.lock_timeout / 1000
    if settings.is_pooled:
        database.preamble = _preamble(database.session_settings)
    return database


def _preamble(settings: Mapping[str, int]) -> str:
    """Return the statement that sets for one transaction what a session has elsewhere; its values are numbers."""
    own = [f"set_config('{name}', '{int(value)}', true)" for name, value in settings.items()]
    durable = (
        "CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END"
    )
    return f"SELECT {', '.join(own)}, set_config('synchronous_commit', {durable}, true)"
