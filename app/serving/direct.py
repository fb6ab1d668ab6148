"""The direct lane: a request of the hot path goes from gunicorn's parser to its group, and the reply to the socket.

gunicorn's way of a request, which makes a task, a scope, a receiver and a sender, took 60 % of the CPU time of a hot
one. So when a head is parsed that looks like the hot path's, the connection's task is not woken: the request is held
here, and its reply is written in one piece. Whatever turns out not to be the common form (a body in several pieces, a
route that Flask must answer) is let go: gunicorn gets it as if its head had come that moment. The parser, its errors,
the timers and the end of a connection stay gunicorn's.
"""

import math
import re
import sys
import time
from collections.abc import Sequence
from typing import Any

from gunicorn.asgi.protocol import _get_cached_date_header

from app.api.hot import Left, Reply, Request
from app.serving.bridge import LEFT
from app.serving.connections import Connection
from app.serving.gathering import Answer

_TARGET = re.compile(rb"(?:/v1)?/users[/?A-Za-z0-9_=&-]*")
_METHODS = frozenset((b"GET", b"POST", b"PUT"))
# Headers with which gunicorn does something of its own. Of those that tell a proxy's scheme the usual one is missing:
# app/api/proxies.py reads it too.
_GUNICORNS = frozenset((b"expect", b"transfer-encoding", b"upgrade", b"x-forwarded-protocol", b"x-forwarded-ssl"))
_KEEP = b"keep-alive"
_HTTP_1_1 = (1, 1)

# What a connection does with the request that it holds.
_NOTHING, _READING, _WHOLE, _ASKING = range(4)


class DirectConnection(Connection):
    """A connection that hands requests of the hot path to the groups of `worker.asgi.together` itself."""

    def __init__(self, worker: Any):
        super().__init__(worker)
        self._state = _NOTHING
        self._parts: list[bytes] = []  # of the body
        self._left: dict[str, Any] | None = None
        self._address = ""
        self._answered = -math.inf  # seconds of the loop's clock
        self._timer: Any = None  # the one of gunicorn's that looks at it
        self._is_configured = self._keepalive > 0 and not self._uses_uwsgi and worker.max_requests == sys.maxsize

    def connection_made(self, transport: Any) -> None:
        """Begin."""
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        self._address = peer[0] if peer.__class__ is tuple else ""

    @property
    def keeps_waiting(self) -> bool:
        """Whether the client owes us something; not while it waits for us."""
        return self._state != _ASKING and super().keeps_waiting

    # ---- what the parser tells ------------------------------------------------------------------------------------

    def _on_headers_complete(self) -> bool:
        if self._is_direct():
            self._state, self._parts = _READING, []
            return False
        return bool(super()._on_headers_complete())

    def _on_body(self, chunk: bytes) -> None:
        if self._state == _READING:
            self._parts.append(bytes(chunk))
        else:
            super()._on_body(chunk)

    def _on_message_complete(self) -> None:
        if self._state == _READING:
            self._state = _WHOLE
        else:
            super()._on_message_complete()

    def _feed_callback_parser(self, data: bytes) -> bool:
        is_open = bool(super()._feed_callback_parser(data))
        if is_open and self._state == _WHOLE:
            self._ask()
        elif is_open and self._state == _READING:
            self._let_go()
        elif is_open and self._state == _ASKING:
            self._pause_reading()  # the parser keeps 64 KiB of what follows, and no more
        return is_open

    def _is_direct(self) -> bool:
        """Whether the head could be of the hot path, and gunicorn would do nothing with it but pass it on."""
        parser = self._callback_parser
        return (
            parser.method in _METHODS
            and _TARGET.fullmatch(parser.path) is not None
            and parser.http_version == _HTTP_1_1
            and self._is_configured
            and not (self._flow_control.write_paused or self._finishing_calls or self._is_ssl)
            and self.worker.alive
            and _are_plain(self._headers)
        )

    @property
    def _headers(self) -> Any:
        parser = self._callback_parser
        return parser.asgi_headers if hasattr(parser, "asgi_headers") else parser.headers

    # ---- the group ------------------------------------------------------------------------------------------------

    def _ask(self) -> None:
        self._state = _ASKING
        parser = self._callback_parser
        request = Request(
            parser.method.decode(),
            parser.path,
            self._headers,
            b"".join(self._parts),
            time.perf_counter(),
            self._address,
        )
        self.app.together.offer(request, self._take)

    def _take(self, answer: Answer) -> None:
        if self._closed:  # the client went away meanwhile
            return
        if isinstance(answer, Left):
            self._left = answer.environ
            self._let_go()
        else:
            self._send(answer)

    def _send(self, reply: Reply) -> None:
        self._state = _NOTHING
        is_last = not self.worker.alive
        self._safe_write(_encode(reply, is_last))
        self.worker.nr += 1
        self.req_count += 1
        parser = self._callback_parser
        if is_last or parser.remaining_truncated:
            self._close_transport()
            self._request_ready.set()  # wakes the task that waits for a request; there is none, so it ends
            return
        self._arm_keepalive_timer()
        self._resume_reading()
        pipelined = parser.remaining()
        parser.reset()
        if pipelined:
            self._feed_callback_parser(pipelined)

    def _let_go(self) -> None:
        """Give the request to gunicorn, as if its head had come just now."""
        is_whole, self._state = self._state != _READING, _NOTHING
        self._cancel_keepalive_timer()
        super()._on_headers_complete()
        for part in self._parts:
            super()._on_body(part)
        if is_whole:
            super()._on_message_complete()

    def _build_http_scope(self, *args: Any) -> dict[str, Any]:
        scope: dict[str, Any] = super()._build_http_scope(*args)
        if self._left is not None:
            scope[LEFT], self._left = self._left, None
        return scope

    # ---- the time between two requests ------------------------------------------------------------------------------

    def _arm_keepalive_timer(self) -> None:
        """Note the time. The timer that runs finds out: to stop one and start one for each request took 3 us of 50."""
        if self._state != _NOTHING:  # the client waits for us
            return
        self._answered = self.worker.loop.time()
        if self._timer is None or self._timer is not self._keepalive_handle:
            super()._arm_keepalive_timer()
            self._timer = self._keepalive_handle
        else:
            self.worker.connections.renew(self)

    def _keepalive_timeout(self) -> None:
        end = self._answered + self._keepalive
        rest = self._keepalive if self._state != _NOTHING else end - self.worker.loop.time()
        if rest > 0:
            self._timer = self._keepalive_handle = self.worker.loop.call_later(rest, self._keepalive_timeout)
        else:
            super()._keepalive_timeout()


def _are_plain(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Whether gunicorn would pass the headers on as they are, and keep the connection."""
    found = dict(headers)
    return (
        len(found) == len(headers)
        and found.keys().isdisjoint(_GUNICORNS)
        and b"_" not in b"".join(found)
        and found.get(b"connection", _KEEP).lower() == _KEEP
    )


def _encode(reply: Reply, is_last: bool) -> bytes:
    close = b"connection: close\r\n" if is_last else b""
    return b"".join((_START, reply.head, _get_cached_date_header(), close, b"\r\n", reply.body))


_START = b"HTTP/1.1 200 OK\r\nserver: rollcall\r\n"
