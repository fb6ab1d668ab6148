"""Group commit for routes: several requests share one transaction.

Each is a request to the application as ever; one transaction stands around them, in which their own are savepoints.
Nobody is answered before it is on disk. For SQLite, where an fsync each made a create through Flask take 23 ms with 32
connections (benchmarks/LOG.md); on Postgres requests run in threads, whose commits the server groups.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from app import errors, logs
from app.api.hot import Later
from app.api.retries import FAILURE
from app.services import storage
from app.serving.environs import Environ

WsgiApp = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
Replied = tuple[str, list[tuple[str, str]], bytes]  # status line, headers, body

# The routes whose services do nothing but write rows: others write files after their commit, or take long.
_FORMS = {
    "POST": re.compile(r"(?:/v1)?/users(?:/[^/]+/events)?"),
    "PUT": re.compile(r"(?:/v1)?/users/[^/]+"),
    "PATCH": re.compile(r"(?:/v1)?/users/[^/]+"),
}


def may_share(environ: Environ) -> bool:
    """Return True if the request may be done in one transaction with others."""
    form = _FORMS.get(environ["REQUEST_METHOD"])
    return form is not None and form.fullmatch(environ["PATH_INFO"]) is not None and storage.is_prepared()


class GroupCommit:
    """Calls a WSGI application for several requests, and commits once."""

    def __init__(self, application: WsgiApp):
        self._application = application

    def __call__(self, environs: Sequence[Environ]) -> Sequence[Replied | Later]:
        """Return the reply to each request when all are on disk, or that a thread must do all of them."""
        try:
            return self._commit(environs)
        except errors.Locked:
            return [Later(lambda: self._commit(environs))] * len(environs)

    def _commit(self, environs: Sequence[Environ]) -> list[Any]:
        try:
            with logs.held():
                return storage.in_one_commit(lambda: self._call_all(environs))
        except errors.Locked:
            raise
        except errors.NotDone:  # alone each finds out whose fault it is
            return [call(self._application, environ) for environ in map(_again, environs)]
        except Exception as error:  # noqa: BLE001 - not to be tried again: it may have been done
            failure = error if isinstance(error, errors.Failure) else errors.StorageUnavailable()
            return [call(self._application, {**environ, FAILURE: failure}) for environ in environs]

    def _call_all(self, environs: Sequence[Environ]) -> list[Replied]:
        replies = []
        for environ in environs:
            replies.append(call(self._application, environ))
            if replies[-1][0].startswith("5"):
                raise _FaultError
        return replies


class _FaultError(Exception):
    """One of the requests could not be served."""


def _again(environ: Environ) -> Environ:
    environ["wsgi.input"].seek(0)
    return environ


def call(application: WsgiApp, environ: Environ) -> Replied:
    """Call a WSGI application (PEP 3333) and return its whole reply."""
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], Any]:
        started[:] = [status, headers]
        return lambda data: None

    parts = application(environ, start_response)
    try:
        body = b"".join(parts)
    finally:
        if hasattr(parts, "close"):
            parts.close()
    return started[0], started[1], body
