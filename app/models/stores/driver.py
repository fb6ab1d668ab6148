"""Driver errors as peewee raises them, and their originals."""

from collections.abc import Iterator

import apsw
import peewee
import psycopg

DRIVER_ERRORS = (apsw.Error, psycopg.Error)  # where peewee does not stand between: a rollback, a pipeline
peewee_errors = peewee.__dict__["__exception_wrapper__"]  # the driver's errors as peewee's own


def cause_of(error: BaseException) -> BaseException:
    """Return what the driver said, before peewee made it one of its own."""
    return error.__cause__ or error.__context__ or error


class LateError(psycopg.OperationalError):
    """Postgres did not answer in time, and the connection was given up: who waits so long must not wait again."""


def chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from: peewee wraps the driver's error, a failed rollback hides the one before."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__context__
