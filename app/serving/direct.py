"""The direct lane: from gunicorn's parser to a group or a route, and back to the socket.

gunicorn's way of a request, which makes a task, a scope, a receiver and a sender, took 60 % of the CPU time of a hot
one. So when a head is parsed of which gunicorn would do nothing but pass it on, the connection's task is not woken:
the request is held here, and its reply is written in one piece. One whose body comes in several pieces is let go:
gunicorn gets it as if its head had come that moment. The parser, its errors, the timers and the end of a connection
stay gunicorn's.
"""

import math
import re
import sys
import time
from collections.abc import Sequence
from typing import Any

from gunicorn.asgi.protocol import _get_cached_date_header

from app.api.hot import Head, Left, Request
from app.serving import environs
from app.serving.connections import Connection
from app.serving.environs import Environ
from app.serving.group_commit import Replied
from app.serving.groups import Answer

# Of anything but spaces, fragments and bytes that nobody may send; those that the hot path may know are a group.
_TARGET = re.compile(rb"((?:/v1)?/users[/?A-Za-z0-9_=&-]*)|/[!\"$-~]*")
_METHODS = {name.encode(): name for name in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")}
# Headers with which gunicorn does something of its own. Of those that tell a proxy's scheme the usual one is missing:
# app/api/proxies.py reads it too.
_GUNICORNS = frozenset((b"expect", b"transfer-encoding", b"upgrade", b"x-forwarded-protocol", b"x-forwarded-ssl"))
_KEEP = b"keep-alive"
_HTTP_1_1 = (1, 1)

# What a connection does with the request that it holds.
_NOTHING, _READING, _WHOLE, _ASKING = range(4)


class DirectConnection(Connection):
    """A connection that hands requests to `worker.asgi.groups` and `worker.asgi.routes` itself."""

    def __init__(self, worker: Any):
        super().__init__(worker)
        self._state = _NOTHING
        self._parts: list[bytes] = []  # of the body
        self._headers: Sequence[tuple[bytes, bytes]] = ()  # of the last request
        self._head = Head(())  # of the last request that was direct
        self._is_hot = False  # whether its target is one that the hot path may know
        self._address, self._server = "", environs.SOMEWHERE
        self._has_ended = False  # what the client has to say
        self._answered = -math.inf  # seconds of the loop's clock
        self._timer: Any = None  # the one of gunicorn's that looks at it
        self._is_configured = self._keepalive > 0 and not self._uses_uwsgi and worker.max_requests == sys.maxsize

    def connection_made(self, transport: Any) -> None:
        """Begin."""
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        self._address = peer[0] if peer.__class__ is tuple else ""
        name = transport.get_extra_info("sockname")
        self._server = name[:2] if name.__class__ is tuple else environs.SOMEWHERE

    def eof_received(self) -> bool:
        """Keep the connection for the answers that are due to a client who says that it will send no more."""
        self._has_ended = True
        return self._state == _ASKING

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
        """Whether gunicorn would do nothing with the head but pass it on; what is learned of the head is kept."""
        parser = self._callback_parser
        target = _TARGET.fullmatch(parser.path)
        self._is_hot = target is not None and target.lastindex == 1
        return (
            parser.method in _METHODS
            and target is not None
            and parser.http_version == _HTTP_1_1
            and self._is_configured
            and not (self._flow_control.write_paused or self._finishing_calls or self._is_ssl)
            and self.worker.alive
            and self._is_plain()
        )

    def _is_plain(self) -> bool:
        """Whether gunicorn would pass the headers on as they are, and keep the connection.

        They are looked at once as long as they are those of the request before: 6 % of a read, with what
        `Head.sender` saves.
        """
        parser = self._callback_parser
        self._headers = headers = getattr(parser, "asgi_headers", None) or parser.headers
        if headers == self._head.headers:
            return True
        fixed = [one for one in headers if one[0] != b"content-length"]
        if fixed != self._head.headers:
            if not _are_plain(fixed):
                return False
            self._head = Head(fixed)
        return len(headers) - len(fixed) <= 1

    # ---- the answer -----------------------------------------------------------------------------------------------

    def _ask(self) -> None:
        parser = self._callback_parser
        method, body = _METHODS[parser.method], b"".join(self._parts)
        request = Request(
            method, parser.path, self._headers, body, time.perf_counter(), self._address, "http", self._head
        )
        self._state, self._parts = _ASKING, []
        if self.app.groups and self._is_hot:
            self.app.groups.offer(request, lambda answer: self._take(request, answer))
        else:
            self._ask_route(request, {})

    def _take(self, request: Request, answer: Answer) -> None:
        if isinstance(answer, Left):
            self._ask_route(request, answer.environ)
        else:
            self._send(_START, answer.head, answer.body)

    def _ask_route(self, request: Request, known: Environ) -> None:
        routes = self.app.routes
        environ = environs.make(request, self._server, routes.is_threaded) | known
        routes.offer(environ, lambda replied: self._send_replied(replied, request.method != "HEAD"))

    def _send_replied(self, replied: Replied, has_body: bool) -> None:
        status, headers, body = replied
        head = "".join([f"{name.lower()}: {value}\r\n" for name, value in headers])
        self._send(f"HTTP/1.1 {status}{_SERVER}".encode(), head.encode("latin-1"), body if has_body else b"")

    def _send(self, start: bytes, head: bytes, body: bytes) -> None:
        """Send a reply, and turn to the next request. start: status line and the first headers; head: the others."""
        self._state = _NOTHING
        if self._closed:  # the client went away meanwhile
            return
        parser = self._callback_parser
        pipelined = parser.remaining()
        is_last = not self.worker.alive or (self._has_ended and not pipelined)
        close = b"connection: close\r\n" if is_last else b""
        self._safe_write(b"".join((start, head, _get_cached_date_header(), close, b"\r\n", body)))
        self.worker.nr += 1
        self.req_count += 1
        if is_last or parser.remaining_truncated:
            self._close_transport()
            self._request_ready.set()  # wakes the task that waits for a request; there is none, so it ends
            return
        self._arm_keepalive_timer()
        self._resume_reading()
        parser.reset()
        if pipelined:
            self._feed_callback_parser(pipelined)

    def _let_go(self) -> None:
        """Give the request to gunicorn, as if its head had come just now; the rest of its body is under way."""
        self._state = _NOTHING
        self._cancel_keepalive_timer()
        super()._on_headers_complete()
        parts, self._parts = self._parts, []
        for part in parts:
            super()._on_body(part)

    # ---- the time between two requests ------------------------------------------------------------------------------

    def _arm_keepalive_timer(self) -> None:
        """Note the time. The timer that runs looks at it: none is stopped and started for each request."""
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
    found = dict(headers)
    return (
        len(found) == len(headers)
        and found.keys().isdisjoint(_GUNICORNS)
        and b"host" in found
        and b"_" not in b"".join(found)
        and found.get(b"connection", _KEEP).lower() == _KEEP
    )


_SERVER = "\r\nserver: rollcall\r\n"  # the name in place of gunicorn's own, which has its version
_START = f"HTTP/1.1 200 OK{_SERVER}".encode()
