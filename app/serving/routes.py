"""Calling the WSGI application for requests that are there whole: where each runs, and which share a commit."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor

from app import logs
from app.services import storage
from app.serving.environs import Environ
from app.serving.gathering import Gathering
from app.serving.shared import Replied, SharedCommit, WsgiApp, call, may_share

# What those get whose request is at fault in a way that nothing foresees.
_FAULT: Replied = ("500 Internal Server Error", [("Content-Length", "0")], b"")
# What touches nothing that could keep it waiting, and must be answered while all else waits for a database.
INSTANT = ("/healthz",)


class Routes:
    """The application.

    executor: where it runs, so that waits overlap; on the event loop itself when None, which is faster for a database
    that answers from memory.
    """

    def __init__(self, application: WsgiApp, executor: Executor | None):
        self._application, self._executor = application, executor
        self._shared = Gathering(SharedCommit(application), _FAULT) if executor is None else None

    @property
    def is_threaded(self) -> bool:
        """Whether two requests may be in the application at the same time."""
        return self._executor is not None

    def offer(self, environ: Environ, take: Callable[[Replied], None]) -> None:
        """Have `take` called with the reply to the request, on the event loop, and not before this returns."""
        loop = asyncio.get_running_loop()
        if self._shared and may_share(environ):
            self._shared.offer(environ, take)
        elif self._executor is None or environ["PATH_INFO"] in INSTANT:
            loop.call_soon(lambda: take(self._call(environ)))
        else:
            running = loop.run_in_executor(self._executor, self._call_in_thread, environ)
            running.add_done_callback(lambda done: take(done.result()))

    def _call_in_thread(self, environ: Environ) -> Replied:
        try:
            return self._call(environ)
        finally:
            storage.give_back_connection()

    def _call(self, environ: Environ) -> Replied:
        try:
            return call(self._application, environ)
        except Exception as error:  # noqa: BLE001 - a connection without an answer would wait for ever
            logs.fault(error, request_id="", method="", route="")
            return _FAULT
