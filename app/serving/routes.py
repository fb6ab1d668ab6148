"""Call the WSGI application: on the loop, in a thread, or in a shared commit."""

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import Executor

from app import logs
from app.api.retries import FAILURE
from app.services import storage
from app.serving.environs import Environ
from app.serving.group_commit import GroupCommit, Replied, WsgiApp, call, may_share
from app.serving.groups import Groups
from app.serving.threads import Threads

# What those get whose request is at fault in a way that nothing foresees.
_FAULT: Replied = ("500 Internal Server Error", [("Content-Length", "0")], b"")
# What touches nothing that could keep it waiting, and must be answered while all else waits for a database.
INSTANT = ("/healthz",)
# What surely takes no longer than a moment: a user, a page by its key. All else may be long, and leaves the event loop.
_SHORT = re.compile(r"(?:/v1)?/users(?:/[^/]+(?:/events)?)?")
_SHORT_QUERY = re.compile(r"(?:limit=[0-9]{1,2})?(?:&?(?:next|previous)_cursor=[0-9a-f]{24})?")
_READS = ("GET", "HEAD")


class Routes:
    """The application.

    executor: where it runs, so that waits overlap. threads: where long requests run when there is none: for a database
    that answers from memory, which is quicker on the event loop itself. Without either all run there.
    """

    def __init__(self, application: WsgiApp, executor: Executor | None, threads: Threads | None = None):
        self._application, self._executor, self._threads = application, executor, threads
        self._group_commits = None
        if executor is None:
            delay = {"delay": threads.delay} if threads else {}
            self._group_commits = Groups(GroupCommit(application), _FAULT, **delay)

    @property
    def is_threaded(self) -> bool:
        """Whether two requests may be in the application at the same time."""
        return self._executor is not None or self._threads is not None

    def offer(self, environ: Environ, take: Callable[[Replied], None]) -> None:
        """Have `take` called with the reply to the request, on the event loop, and not before this returns."""
        loop = asyncio.get_running_loop()
        if environ["PATH_INFO"] in INSTANT or FAILURE in environ:  # one that has failed is only told so
            loop.call_soon(lambda: take(self._call(environ)))
        elif self._executor is not None:
            running = loop.run_in_executor(self._executor, self._call_in_thread, environ)
            running.add_done_callback(lambda done: take(done.result()))
        elif self._group_commits and may_share(environ):
            self._group_commits.offer(environ, take)
        elif self._threads is None or _is_short(environ):
            loop.call_soon(lambda: take(self._call(environ)))
        else:
            run = self._threads.read if environ["REQUEST_METHOD"] in _READS else self._threads.write
            run(lambda: self._call(environ), take)

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


def _is_short(environ: Environ) -> bool:
    """Return True if the request surely takes no longer than a moment, and waits for no lock."""
    method = environ["REQUEST_METHOD"]
    if method == "OPTIONS":
        return True
    return (
        method in _READS
        and storage.is_prepared()
        and _SHORT.fullmatch(environ["PATH_INFO"]) is not None
        and _SHORT_QUERY.fullmatch(environ["QUERY_STRING"]) is not None
    )
