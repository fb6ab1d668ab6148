"""Connections, transactions, and what a failure of either means.

One connection is kept for each thread. Every access goes through one of these:

- `transaction`, and `commit_all` and `in_one_commit` for writes that share one. Until COMMIT is sent nothing is done:
  such a try is run again after a conflict or a lost connection.
- `statement`, which only reads: it is run again as well.
- `unrepeated`, one statement that writes.

When COMMIT, or a statement that writes by itself, fails in a way that does not prove that nothing was done, the outcome
is unknown: errors.StorageUnavailable, and nothing is done again. The stores prove it (`refused`); the shared commits
raise errors.NotDone then.
"""

import contextlib
import functools
import time
from collections.abc import Callable, Sequence
from typing import Any, Generic, NamedTuple, ParamSpec, TypeVar, cast

import peewee

from app import errors, logs, waiting
from app.config import Settings
from app.models import stores
from app.models.dialects import Dialect
from app.models.stores import PostgresStore, Rows, SqliteStore, chain, peewee_errors

P = ParamSpec("P")
T = TypeVar("T")

_MAX_RETRIES = 3
_MAX_CONFLICTS = 6  # retries after one: a uid that others delete and make all the time conflicts three times running
_RETRY_PAUSE = 0.02  # seconds, doubled each time: lets the transaction that won finish

_FAILURES = (peewee.PeeweeException, errors.StorageUnavailable, *stores.DRIVER_ERRORS)
_CONFLICTS = {"40001", "40P01"}  # serialization failure, deadlock: Postgres asks for the transaction again
# The database in use; models and statements name this, create_app and the tests say which one it is.
db = peewee.DatabaseProxy()


class BaseModel(peewee.Model):
    """Base of every table."""

    class Meta:
        database = db
        legacy_table_names = False


def open_database(settings: Settings) -> SqliteStore | PostgresStore:
    """Make the database of these settings the one in use, and return it. Nothing is connected yet."""
    database = stores.make(settings)
    db.initialize(database)
    return database


class Statement:
    """SQL with `?` for each parameter, put into the driver's form once for each database and then only run.

    sql: the text, or a function of the dialect where the databases differ.
    A peewee query would be built anew for every request, which costs more than running it (docs/decisions.md).
    """

    def __init__(self, sql: str | Callable[[Dialect], str]):
        self._sql = sql
        self._text = functools.cache(self._build)

    def _build(self, dialect: Dialect) -> str:
        return dialect.driver_text(self._sql if isinstance(self._sql, str) else self._sql(dialect))

    def __call__(self, *parameters: Any) -> list[tuple[Any, ...]]:
        """Run with the parameters in the order of the text; return all rows.

        All are fetched at once: an SQLite cursor that is left half read keeps its read transaction open.
        """
        with peewee_errors:  # the commit of an SQLite statement comes with its last row, and may fail there
            return cast("list[tuple[Any, ...]]", db.execute_sql(self.text, parameters).fetchall())

    @property
    def text(self) -> str:
        """The SQL for the database in use."""
        return self._text(db.obj.dialect)


class Call(NamedTuple):
    """A statement with its parameters, to be run among others.

    columns: of many rows, if it is to be run for each: one is a value for every row, of texts, numbers, booleans, None.
    The statement takes them behind the parameters, on Postgres as arrays, on SQLite a row of them.
    """

    statement: Statement
    parameters: tuple[Any, ...]
    columns: Sequence[Sequence[Any]] | None = None


def reading() -> contextlib.AbstractContextManager[None]:
    """Let `run_all` in this context see one state of an SQLite database."""
    return cast("contextlib.AbstractContextManager[None]", db.obj.reading())


def run_all(calls: Sequence[Call]) -> list[list[tuple[Any, ...]]]:
    """Run the calls in order and return the rows of each; on Postgres they travel together, in one round trip.

    Call in a transaction: the first that fails spoils it. Calls that only read need none.
    """
    return cast("list[list[tuple[Any, ...]]]", db.obj.run_all(_texts(calls)))


def _texts(calls: Sequence[Call]) -> list[stores.Run]:
    return [(statement.text, parameters, columns) for statement, parameters, columns in calls]


def write_many(statement: Statement, fixed: tuple[Any, ...], columns: Sequence[Sequence[Any]]) -> int:
    """As a Call with columns, for a statement that answers nothing; return how many rows it wrote.

    fixed: the parameters. Call in a transaction.
    """
    return cast("int", db.write_many(statement.text, fixed, columns))


def insert_new(table: str, rows: Rows) -> int:
    """Insert new rows in the fastest way of the database; return how many are in.

    Where a key is taken it is the rows before that one on SQLite, and none on Postgres. rows: at least one; keys are
    taken in their order. Call in a transaction.
    """
    return cast("int", db.insert_new(table, rows))


def commit_all(calls: Sequence[Call], retries: int = _MAX_RETRIES) -> list[list[tuple[Any, ...]]]:
    """Run the calls in one transaction, all or none, and return the rows of each when it is committed.

    Run again after a conflict only, as often as retries says; then it raises errors.Contended. Raises errors.NotDone,
    errors.Locked among them, and errors.StorageUnavailable: then nobody knows whether it was done.
    """
    texts, store = _texts(calls), db.obj
    if store.dialect.name == "sqlite":
        one = _Try(lambda: cast("list[list[tuple[Any, ...]]]", store.run_all(texts)))
        return _share(one, one.is_done, retries)
    return _share(lambda: cast("list[list[tuple[Any, ...]]]", store.commit_all(texts)), _may_be_done, retries)


def in_one_commit(operation: Callable[[], T]) -> T:
    """Run the function, and all transactions in it, in one; not again, as it may leave more behind than rows.

    Raises errors.NotDone, also for what the function raises; errors.StorageUnavailable when nobody knows whether it was
    done.
    """
    one = _Try(operation)
    return _share(one, one.is_done, retries=0)


def _share(attempt: Callable[[], T], may_be_done: Callable[[Exception], bool], retries: int) -> T:
    """Do what several callers share. may_be_done: whether what ended in an error may be done all the same."""
    store = db.obj
    if store.behind and store.is_hurried():
        raise errors.Locked()
    retry = 0
    while True:
        try:
            store.drop_lost()
            return attempt()
        except Exception as error:
            is_unknown = may_be_done(error)
            _tidy()
            if not is_unknown and store.is_locked_for_now(error):
                raise errors.Locked() from error
            is_conflict = not is_unknown and _is_conflict(error)
            if is_conflict and retry == retries:
                raise errors.Contended() from error
            if not is_conflict and (is_unknown or any(isinstance(one, db.unavailable) for one in chain(error))):
                raise unavailable(error) from error  # what was refused so, the database would refuse again
            if not is_conflict:
                raise errors.NotDone() from error
        waiting.sleep(_RETRY_PAUSE * 2**retry)
        retry += 1


class _Try(Generic[T]):
    """One try of a transaction, which knows whether its COMMIT was sent."""

    def __init__(self, operation: Callable[[], T]):
        self._operation, self._sent = operation, False

    def __call__(self) -> T:
        self._sent = False
        with db.obj.atomic():
            result = self._operation()
            self._sent = True
        return result

    def is_done(self, error: Exception) -> bool:
        """Return True if what ended in that error may be done all the same."""
        return self._sent and _may_be_done(error)


def _may_be_done(error: Exception) -> bool:
    """Return True if a statement that ended in an error may be done all the same: the database did not refuse it."""
    return not isinstance(error, errors.Failure) and not db.obj.refused(error)


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
        one = _Try(lambda: operation(*args, **kwargs))
        return _persist(one, one.is_done)

    return run


def unrepeated(operation: Callable[P, T]) -> Callable[P, T]:
    """Run the function, one statement that writes, without a transaction around it.

    Run again after a conflict only. Raises errors.StorageUnavailable: then nobody knows whether it was done.
    """

    @functools.wraps(operation)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        if db.in_transaction():
            return operation(*args, **kwargs)
        return _persist(lambda: operation(*args, **kwargs), _may_be_done)

    return run


def statement(operation: Callable[P, T]) -> Callable[P, T]:
    """Run the function, which only reads, without a transaction around it. Raises errors.StorageUnavailable."""

    @functools.wraps(operation)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        is_inside = db.obj.in_transaction()
        try:  # the first time without what `_persist` needs: every read comes by here
            return operation(*args, **kwargs)
        except _FAILURES as error:
            if is_inside:
                raise
            _recover(error, 0, may_be_done=False)
        return _persist(lambda: operation(*args, **kwargs), lambda error: False, retry=1)

    return run


def _persist(attempt: Callable[[], T], may_be_done: Callable[[Exception], bool], retry: int = 0) -> T:
    """Try until it succeeds or must not be tried again. may_be_done: whether what ended in an error may be done."""
    while True:
        try:
            db.obj.drop_lost()
            return attempt()
        except Exception as error:  # noqa: BLE001 - `_recover` raises it or one for it
            _recover(error, retry, may_be_done(error))
        retry += 1


def _recover(error: Exception, retry: int, may_be_done: bool) -> None:
    """Return when what failed is to be tried again. Raises errors.StorageUnavailable or the error where it is not."""
    is_lost = _tidy()
    is_driver = isinstance(error, _FAILURES)
    if may_be_done:
        raise unavailable(error) from error
    is_late = any(isinstance(one, stores.LateError) for one in chain(error))
    retries = _MAX_RETRIES if is_lost else _MAX_CONFLICTS
    if is_driver and retry < retries and (is_lost or _is_conflict(error)) and not is_late:
        waiting.sleep(_RETRY_PAUSE * 2**retry)
    elif is_driver and (is_lost or any(isinstance(one, db.unavailable) for one in chain(error))):
        raise unavailable(error) from error
    else:
        raise error


def unavailable(error: BaseException) -> errors.StorageUnavailable:
    """Return the failure that callers are told; why it is so is logged, once a second at most for each cause."""
    found = stores.cause(error)
    now = time.monotonic()
    if now - _told.get(found.name, -_TOLD_SECONDS) >= _TOLD_SECONDS:
        _told[found.name] = now
        logs.warning("storage_unavailable", cause=found.name, hint=found.sentence)
    return errors.StorageUnavailable()


_TOLD_SECONDS = 1.0
_told: dict[str, float] = {}  # when each cause was last told, in seconds of time.monotonic


def _tidy() -> bool:
    """Give up a connection that is lost or in a transaction; return whether it was lost."""
    is_lost = bool(db.is_broken())
    if is_lost or db.in_transaction():
        forget_connection()
    return is_lost


def forget_connection() -> None:
    """Close the connection of this thread, whatever state it is in; the next statement opens a new one."""
    connection = None if db.is_closed() else db.connection()
    db.dispose()
    if connection is not None:
        with contextlib.suppress(Exception):  # it is of no use any more, and neither is why it will not close
            connection.close()


def _is_conflict(error: BaseException) -> bool:
    return any(getattr(one, "sqlstate", None) in _CONFLICTS for one in chain(error))


def give_back_connection() -> None:
    """Let other threads use the connection of this one, which does not need it just now."""
    db.obj.give_back()


def close_idle_connections() -> None:
    """Close the connections that were given back and not used for a while."""
    db.obj.close_idle()


def hurry() -> None:
    """Let this thread, which has others to answer, wait for no lock of SQLite: `errors.Locked` tells of it at once."""
    db.obj.hurry()


def fall_behind(groups: int) -> None:
    """Note that so many groups of writes more wait in a thread for the lock; a negative number: that they are done."""
    db.obj.behind += groups


def be_patient(seconds: float) -> None:
    """Wait so long for each answer on the connection of this thread, until `forget_connection`."""
    db.obj.be_patient(seconds)


def answer_seconds() -> float | None:
    """Return how long an answer of the database is waited for at most; None where nothing is asked over a network."""
    return getattr(db.obj, "deadline", None)


def why(error: BaseException) -> str:
    """Return in a sentence why the database was not available, and what to do about it. error: what was raised."""
    return stores.cause(error).sentence
