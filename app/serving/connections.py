"""Client connections of a worker: deadlines for each, and a limit for all."""

import resource
from email.utils import formatdate
from typing import Any

from gunicorn.asgi.parser import InvalidHeader, UnsupportedTransferCoding
from gunicorn.asgi.protocol import ASGIProtocol

from app.serving.accepting import Share

# How long a new connection may take for the head of its first request; gunicorn's `keepalive` limits the later ones.
HEAD_SECONDS = 10
# Of the files that the process may open; the rest is for the database, and for connections that come all at once,
# which are counted only when all of them are accepted.
_SHARE_OF_FILES = 2
_HTTP_1_1 = (1, 1)
# Bytes that the parser gets at once. Behind a complete request it keeps 64 KiB, and drops what is more.
_PIECE = 32 * 1024
_UNSUPPORTED = "Unsupported Transfer-Encoding"  # what the parser in C says, in the class of all its errors
_HEADERS = (("Server", "rollcall"), ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"))


def most_connections(wanted: int) -> int:
    """Return how many connections a worker may hold: what is wanted, or what its file descriptors allow."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return wanted if files == resource.RLIM_INFINITY else max(1, min(wanted, files // _SHARE_OF_FILES))


class Connections:
    """The open connections of a worker, in the order in which they began to keep it waiting."""

    def __init__(self, most: int, share: Share):
        self._most, self._share = most, share
        self._open: dict[Connection, None] = {}

    def __len__(self) -> int:
        return len(self._open)

    def add(self, connection: "Connection") -> None:
        """Take a new connection; when there are too many, end the one that has kept us waiting longest."""
        self._open[connection] = None
        self._share.tell(len(self._open))
        if len(self._open) > self._most:
            (self._idlest() or connection).end()

    def renew(self, connection: "Connection") -> None:
        """Put a connection last: it has just had an answer."""
        if connection in self._open:
            del self._open[connection]
            self._open[connection] = None

    def remove(self, connection: "Connection") -> None:
        """Forget a connection that was closed."""
        self._open.pop(connection, None)
        self._share.tell(len(self._open))

    def _idlest(self) -> "Connection | None":
        """The one to end: rather one that never asked for anything than a client who comes back."""
        other = None
        for connection in self._open:
            if connection.keeps_waiting:
                if connection.req_count <= 1:
                    return connection
                other = other or connection
        return other


def take_fast_parser() -> None:
    """Let connections use gunicorn's parser in C. Call once in a worker.

    gunicorn looks for it when a connection is made, and notes what it found on the class of that connection, but then
    asks ASGIProtocol itself: so it never finds it for ours.
    """
    ASGIProtocol._check_h1c_protocol_available()


class Connection(ASGIProtocol):  # type: ignore[misc]
    """gunicorn's connection with a deadline for its first request, and no websockets."""

    _later = b""  # what the client has sent behind the request that is answered, beyond what the parser keeps of it

    def connection_made(self, transport: Any) -> None:
        """Begin; the timer is the one that gunicorn starts between requests, and stops when a head is complete."""
        super().connection_made(transport)
        if self._request_ready is not None:  # None for HTTP/2, which is off unless somebody configures it
            self._keepalive_handle = self.worker.loop.call_later(HEAD_SECONDS, self._keepalive_timeout)
        self.worker.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        super().connection_lost(exc)
        self.worker.connections.remove(self)

    @property
    def keeps_waiting(self) -> bool:
        """Whether the client owes us something: a head, the rest of a body, or to read what we sent."""
        is_sending = self._body_receiver is not None and not self._body_receiver._complete
        return bool(self._awaiting_request or is_sending or self._flow_control.write_paused)

    def end(self) -> None:
        """Close the connection at once, whatever is under way on it."""
        self.transport.abort()
        if self._request_ready is not None:
            self._request_ready.set()  # wakes the task that waits for a request; there is none, so it ends

    def _on_headers_complete(self) -> bool:
        """Refuse a head that has no host (RFC 9112 section 3.2), or a body in a coding that we do not know (6.1)."""
        parser = self._callback_parser
        headers = getattr(parser, "asgi_headers", None) or parser.headers
        codings = [value for name, value in headers if name == b"transfer-encoding"]
        if parser.http_version == _HTTP_1_1 and not any(name == b"host" for name, _ in headers):
            raise InvalidHeader("A request of HTTP/1.1 must have a Host header.")
        if codings and b",".join(codings).strip().lower() != b"chunked":
            raise UnsupportedTransferCoding("The one Transfer-Encoding that is understood is chunked.")
        return bool(super()._on_headers_complete())

    def _handle_h1c_exception(self, exc: Exception) -> bool:
        if str(exc) != _UNSUPPORTED:
            return bool(super()._handle_h1c_exception(exc))
        self._send_error_response(501, str(exc))
        self._close_transport()
        return True

    def _feed_callback_parser(self, data: bytes) -> bool:
        """Give the parser what it can keep, and the rest when the requests before are answered.

        gunicorn answers a pipelined request only where the parser has kept something behind the one before: so there is
        always a byte of it there while we have the rest.
        """
        parser = self._callback_parser
        if not parser.is_complete:
            data, self._later = data + self._later, b""
            while len(data) > _PIECE and not parser.is_complete:
                if not super()._feed_callback_parser(data[:_PIECE]):
                    return False
                data = data[_PIECE:]
            if not parser.is_complete:
                return bool(super()._feed_callback_parser(data))
        if data and not parser.remaining():
            super()._feed_callback_parser(data[:1])
            data = data[1:]
        self._later += data
        self._pause_reading()
        return True

    def _on_message_complete(self) -> None:
        """Read no further while a request is answered.

        The parser in C holds 64 KiB of the next one, and gunicorn closes a connection that had more: so a client lost a
        large request that came before we had turned to it.
        """
        super()._on_message_complete()
        self._pause_reading()

    def _maybe_resume_reading(self) -> None:
        if self._callback_parser is None or not self._callback_parser.is_complete:
            super()._maybe_resume_reading()

    def _arm_keepalive_timer(self) -> None:
        super()._arm_keepalive_timer()
        self.worker.connections.renew(self)

    def _is_websocket_upgrade(self, *args: Any) -> bool:
        """Ignore the wish, as a server may (RFC 9110 section 7.8): the request is answered as any other."""
        return False

    def _send_error_response(self, status: int, message: str, extra_headers: Any = ()) -> None:
        """Answer what is no HTTP, in gunicorn's words with our headers."""
        date = ("Date", formatdate(usegmt=True))
        super()._send_error_response(status, message, (*extra_headers, date, *_HEADERS))
