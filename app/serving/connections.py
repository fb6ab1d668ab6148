"""The connections of a worker: none may keep it waiting for long, and all together leave it files to work with."""

import resource
from email.utils import formatdate
from typing import Any

from gunicorn.asgi.protocol import ASGIProtocol

from app.serving.accepting import Share

# How long a new connection may take for the head of its first request; gunicorn's `keepalive` limits the later ones.
HEAD_SECONDS = 10
# Of the files that the process may open; the rest is for the database, and for connections that come all at once,
# which are counted only when all of them are accepted.
_SHARE_OF_FILES = 2
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
