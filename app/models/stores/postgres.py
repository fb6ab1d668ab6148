"""Postgres as peewee knows it."""

import contextlib
import functools
import select
from collections.abc import Sequence
from typing import Any, ClassVar, cast

import peewee
import psycopg
from psycopg.pq import TransactionStatus
from psycopg.waiting import Ready

from app import errors, waiting
from app.config import Settings
from app.models.dialects import POSTGRES, Dialect
from app.models.stores.arrays import Rows, Run, array
from app.models.stores.driver import cause_of, chain, peewee_errors

_CONNECT_TIMEOUT = 5  # seconds; a request waits this long at most to learn that Postgres is away
_NETWORK_TIME = 5_000  # milliseconds that an answer may be under way
_IDLE_TRANSACTION_TIMEOUT = 60_000  # milliseconds until Postgres ends a transaction whose process hangs


class PostgresStore(peewee.PostgresqlDatabase):
    """A Postgres database, named by its URL."""

    dialect: ClassVar[Dialect] = POSTGRES
    is_prepared = False
    unavailable = (peewee.OperationalError, peewee.InterfaceError, peewee.InternalError)
    session_settings: ClassVar[dict[str, int]] = {}

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        # Each thread has a connection of its own. With peewee's lock the event loop would wait for all that connect.
        self._lock = contextlib.nullcontext()

    def _connect(self) -> Any:
        connection = waiting.blocking(super()._connect)  # type: ignore[misc]
        connection.wait = functools.partial(_wait, connection)
        return connection

    def _initialize_connection(self, conn: Any) -> None:
        """Set the time-outs, and make a commit mean disk even where the server's default does not."""
        for name, milliseconds in self.session_settings.items():
            conn.execute("SELECT set_config(%s, %s, false)", (name, str(milliseconds)))
        if conn.execute("SHOW synchronous_commit").fetchone()[0] == "off":
            conn.execute("SET synchronous_commit = on")
        conn.kept_cursor = conn.cursor()

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
        if len(wanted) == 1:  # a pipeline of one takes 20 us more
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
            cursors = [connection.execute(text, parameters) for text, parameters in wanted]
            end = connection.execute("COMMIT")
            rows = [cursor.fetchall() for cursor in cursors]
        _check_commit(end)
        return rows

    def commit(self) -> None:
        """Commit. Raises peewee.InternalError where a statement had failed, so that Postgres took all back."""
        with peewee_errors:
            _check_commit(cast("Any", self).connection().execute("COMMIT"))

    def drop_lost(self) -> None:
        """Give up a connection that Postgres has ended meanwhile, before anything is sent on it.

        Nothing comes unasked on a connection that idles but its end, and the notice of it.
        """
        if self.is_closed() or self.in_transaction():
            return
        connection = self._state.conn  # type: ignore[attr-defined]
        if connection.closed or _has_something_to_say(connection.pgconn.socket):
            self.dispose()
            with contextlib.suppress(psycopg.Error):
                connection.close()

    def refused(self, error: BaseException) -> bool:
        """Tell whether a COMMIT, or a statement that writes by itself, surely did nothing.

        So it is when there was no connection, and when Postgres itself refused a statement and the connection goes on
        after a rollback. A server that is about to end says FATAL; what a pooler says of its server is of class 08.
        """
        if self.is_closed():
            return True
        said = [one for one in chain(error) if isinstance(one, psycopg.Error)]
        return bool(said) and all(map(_is_refusal, said)) and self._can_go_on()

    def _can_go_on(self) -> bool:
        connection = self._state.conn  # type: ignore[attr-defined]
        with contextlib.suppress(psycopg.Error):
            if not connection.closed:
                connection.rollback()
        return not connection.closed and connection.info.transaction_status == TransactionStatus.IDLE

    @staticmethod
    def _rows(connection: Any, text: str, parameters: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        """Run a statement by the cursor that is kept: a new one finds out anew how to dump and load each type."""
        with peewee_errors:
            return cast("list[tuple[Any, ...]]", connection.kept_cursor.execute(text, parameters).fetchall())

    def array(self, values: Sequence[Any]) -> str:
        """Return texts as the parameter of `Dialect.in_array`; any column as one of `dialects.given`."""
        return array(values)

    def is_broken(self) -> bool:
        """Tell whether the connection of this thread is lost."""
        return not self.is_closed() and bool(self._state.conn.closed)  # type: ignore[attr-defined]


def _check_commit(end: Any) -> None:
    if end.statusmessage != "COMMIT":  # Postgres answers ROLLBACK, and calls it no error
        raise peewee.InternalError("The transaction was taken back.")


def _is_refusal(error: psycopg.Error) -> bool:
    return error.diag.severity_nonlocalized == "ERROR" and not (error.sqlstate or "08").startswith("08")


def _has_something_to_say(socket: int) -> bool:
    poll = select.poll()
    poll.register(socket, select.POLLIN | select.POLLHUP)
    return bool(poll.poll(0))


def _with_arrays(call: Run) -> tuple[str, tuple[Any, ...]]:
    text, parameters, columns = call
    return text, (*parameters, *map(array, columns or ()))


def _wait(connection: Any, steps: Any, *args: Any, **kwargs: Any) -> Any:
    """Do as psycopg's `Connection.wait`, and let the event loop go on meanwhile. steps: ask for what is waited for."""
    if args or kwargs or not waiting.may_stop():
        return psycopg.Connection.wait(connection, steps, *args, **kwargs)
    file = connection.pgconn.socket
    try:
        wanted = next(steps)
        while True:
            wanted = steps.send(_READY[waiting.until(file, wanted)])
    except StopIteration as end:
        return end.value


_READY = {waiting.READABLE: Ready.R, waiting.WRITABLE: Ready.W}


def make(settings: Settings) -> PostgresStore:
    """Return the database of these settings. Nothing is connected yet. Raises errors.Misconfigured."""
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
