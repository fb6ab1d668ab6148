"""Postgres answers: wait for them with a deadline, and know what each proves."""

import contextlib
import select
from typing import Any

import peewee
import psycopg
from psycopg.waiting import Ready

from app import waiting
from app.models.stores import pulse
from app.models.stores.driver import LateError

_INTERVAL = 0.05  # seconds between two looks of psycopg at signals and its deadline


def wait(connection: Any, steps: Any, interval: float = _INTERVAL, timeout: float | None = None) -> Any:
    """Do as psycopg's `Connection.wait`, with a deadline, and let the event loop go on meanwhile.

    steps: ask for what is waited for. Raises LateError when Postgres did not answer in time. What has a deadline of
    its own gets the time-out of psycopg.
    """
    pulse.asks()
    try:
        if waiting.may_stop():
            result = _wait_on_loop(connection, steps)
        else:
            result = psycopg.Connection.wait(connection, steps, timeout=timeout or connection.deadline)
    except psycopg.errors._WaitTimeout as error:
        if timeout:
            raise
        connection.pgconn.finish()
        raise LateError("Postgres did not answer in time") from error
    except psycopg.Error as error:
        if error.sqlstate:
            pulse.answered()
        raise
    pulse.answered()
    return result


def _wait_on_loop(connection: Any, steps: Any) -> Any:
    file, deadline = connection.pgconn.socket, connection.deadline
    try:
        wanted = next(steps)
        while True:
            event = waiting.until(file, wanted, deadline)
            if not event:
                raise psycopg.errors._WaitTimeout
            wanted = steps.send(_READY[event])
    except StopIteration as end:
        return end.value


_READY = {waiting.READABLE: Ready.R, waiting.WRITABLE: Ready.W}


def check_commit(end: Any) -> None:
    """Raise peewee.InternalError if the COMMIT ended a transaction that had failed, which Postgres calls no error."""
    if end.statusmessage != "COMMIT":
        raise peewee.InternalError("The transaction was taken back.")


def is_refusal(error: psycopg.Error) -> bool:
    """Return True if it is Postgres that refused a statement, and not the end of a server or of a connection."""
    return error.diag.severity_nonlocalized == "ERROR" and not (error.sqlstate or "08").startswith("08")


def is_lost(connection: Any) -> bool:
    """Return True if an idle connection was ended: there is something to read, and reading does not finish it."""
    for _ in range(_LOOKS):
        if connection.closed:
            return True
        if not _has_something_to_read(connection.pgconn.socket):
            return False
        try:
            connection.pgconn.consume_input()
        except psycopg.Error:
            return True
    return True


_LOOKS = 3  # at what may come unasked on a good connection: a changed setting, a ticket of TLS


def _has_something_to_read(socket: int) -> bool:
    poll = select.poll()
    poll.register(socket, select.POLLIN | select.POLLHUP)
    return bool(poll.poll(0))


def close(connection: Any) -> None:
    """Close a connection that is of no use any more; neither is why it will not close."""
    with contextlib.suppress(Exception):
        connection.close()
