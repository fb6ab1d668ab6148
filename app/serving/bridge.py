"""A WSGI application as an ASGI one: the event loop reads the whole request, then calls the application once.

So a client that sends slowly keeps nothing waiting but itself, and the application never blocks on a socket.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from typing import Any

from app import errors, waiting
from app.api.hot import Left, Reply, Request
from app.api.retries import FAILURE
from app.serving import environs
from app.serving.group_commit import WsgiApp
from app.serving.groups import Answer, AnswerGroup, Groups, answered, at_once
from app.serving.routes import INSTANT, Routes
from app.serving.threads import Threads

_SERVER = (b"server", b"rollcall")
MAX_BODY = 1024 * 1024  # bytes that are kept; the application refuses less on most routes (app/api/bodies.py)
# A client that sends more must read our answer, and mostly does so only when it has sent all: we let it for a while.
_MAX_DISCARDED = 16 * 1024 * 1024  # bytes
_DISCARD_SECONDS = 2.0
BODY_SECONDS = 60.0  # how long a body may be under way: 1 MiB at the speed of a bad phone connection
_TOO_SLOW = b"The body did not come in time."

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Bridge:
    """Calls a WSGI application for each request of an ASGI server.

    executor, threads: where it runs (routes.py). answer_group: answers the requests of one moment that it knows.
    body_seconds: how long a client may take to send a body.
    """

    def __init__(
        self,
        application: WsgiApp,
        executor: Executor | None = None,
        answer_group: AnswerGroup | None = None,
        body_seconds: float = BODY_SECONDS,
        threads: Threads | None = None,
    ):
        self.routes = Routes(application, executor, threads)
        fault: Answer = Left({FAILURE: errors.InternalError()})
        # Whoever has threads has something to wait for.
        run, delay = waiting.run if executor else at_once, threads.delay if threads else at_once
        self.groups = answer_group and Groups(answer_group, fault, run, delay)
        self.body_seconds = body_seconds

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Serve one request; the worker lets no websocket come here, and the lifespan protocol is off."""
        if scope["type"] != "http":
            raise NotImplementedError(scope["type"])
        length = _content_length(scope)
        body = b"" if length > MAX_BODY else await _read(receive, self.body_seconds)
        if body is None:  # the client took too long, or went away and will not see this
            await _answer(send, "408", [("Content-Type", "text/plain"), ("Connection", "close")], _TOO_SLOW)
            return
        request, known = _request(scope, body), {}
        if self.groups and scope["path"] not in INSTANT:
            answer = await answered(self.groups.offer, request)
            if isinstance(answer, Reply):
                await _send(send, 200, answer.headers, answer.body)
                return
            known = answer.environ
        server, protocol = scope["server"] or environs.SOMEWHERE, f"HTTP/{scope['http_version']}"
        environ = environs.make(request, server, self.routes.is_threaded, protocol, length)
        await _answer(send, *await answered(self.routes.offer, environ | known))
        if length > MAX_BODY or len(body) > MAX_BODY:
            await _discard(receive)


def _request(scope: dict[str, Any], body: bytes) -> Request:
    query = scope["query_string"]
    target = scope["raw_path"] + b"?" + query if query else scope["raw_path"]
    address = scope["client"][0] if scope["client"] else ""
    return Request(scope["method"], target, scope["headers"], body, time.perf_counter(), address, scope["scheme"])


async def _read(receive: Receive, seconds: float) -> bytes | None:
    """Return the body, cut soon after MAX_BODY; None when the client did not send all of it in time."""
    message = await receive()
    if message["type"] != "http.request":
        return None
    if not message["more_body"]:
        return bytes(message["body"])
    try:
        async with asyncio.timeout(seconds):
            return await _read_on(receive, message["body"])
    except TimeoutError:
        return None


async def _read_on(receive: Receive, start: bytes) -> bytes | None:
    parts, size, more = [start], len(start), True
    while more and size <= MAX_BODY:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message["body"])
        size += len(message["body"])
        more = message["more_body"]
    return b"".join(parts)


async def _answer(send: Send, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
    encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await _send(send, int(status[:3]), encoded, body)


async def _send(send: Send, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> None:
    # The name in place of gunicorn's own, which has its version.
    await send({"type": "http.response.start", "status": status, "headers": [*headers, _SERVER]})
    await send({"type": "http.response.body", "body": body})


async def _discard(receive: Receive) -> None:
    async def drain() -> None:
        size = 0
        while size < _MAX_DISCARDED:
            message = await receive()
            if message["type"] != "http.request" or not message["more_body"]:
                return
            size += len(message["body"])

    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(drain(), _DISCARD_SECONDS)


def _content_length(scope: dict[str, Any]) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value)  # gunicorn has refused what is no number
    return 0
