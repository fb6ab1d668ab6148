"""A proxy before Postgres that knows where messages begin, and cuts a connection at one of them.

Source: the frontend/backend protocol, version 3, of PostgreSQL (docs, chapter "Frontend/Backend Protocol").
"""

import contextlib
import itertools
import socket
import struct
import threading
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

FRONTEND, BACKEND = "frontend", "backend"
# What becomes of the message at which the connection is cut.
SWALLOW = "swallow"  # neither it nor anything behind it arrives
FATAL = "fatal"  # FATAL 57P01 (admin_shutdown) arrives in its place
THEN_FATAL = "then fatal"  # it arrives, and FATAL 57P01 behind it
COMMITTED = b"COMMIT\x00"  # the tag with which Postgres answers a COMMIT that was done
_NEGOTIATIONS = (80877103, 80877104)  # SSLRequest, GSSENCRequest
_FIELDS = b"SFATAL\x00VFATAL\x00C57P01\x00Mterminating connection due to administrator command\x00\x00"
_SHUTDOWN = b"E" + struct.pack("!i", 4 + len(_FIELDS)) + _FIELDS


class Message(NamedTuple):
    """A message on its way. kind: its type byte; that of a start-up message is empty."""

    side: str
    kind: bytes
    body: bytes

    @property
    def is_commit(self) -> bool:
        """Whether it asks for a COMMIT, or answers one that was done."""
        if self.side == BACKEND:
            return self.kind == b"C" and self.body == COMMITTED
        return self.kind in (b"Q", b"P") and b"COMMIT" in self.body

    @property
    def name(self) -> str:
        """Side and kind, for a report."""
        return f"{self.side} {self.kind.decode() or 'startup'}"


class Cut(NamedTuple):
    """Where to cut: at the message of that number on its side, counted from 0 since `arm`, and how."""

    side: str
    number: int
    how: str


class PostgresProxy:
    """Listens on loopback, and forwards to the Postgres of a URL. Use as a context manager; `url` is where to connect.

    `seen` holds the messages since `arm`. `was_cut` says whether the armed cut was made.
    """

    def __init__(self, url: str):
        parts = urlsplit(url)
        self._target = f"{parse_qs(parts.query)['host'][0]}/.s.PGSQL.{parts.port or 5432}"
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        self.url = f"postgresql://{parts.username}@127.0.0.1:{port}{parts.path}?sslmode=disable&gssencmode=disable"
        self._lock, self._open = threading.Lock(), set[socket.socket]()
        self._may_pass = threading.Event()
        self.speak()
        self.arm(None)

    def __enter__(self) -> "PostgresProxy":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.speak()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in list(self._open):
            _close(one)

    def arm(self, cut: Cut | None) -> None:
        """Count messages from here on, and make this cut once."""
        with self._lock:
            self._cut, self.was_cut = cut, False
            self.seen: list[Message] = []
            self._numbers = {FRONTEND: itertools.count(), BACKEND: itertools.count()}

    def silence(self) -> None:
        """Let nothing through from here on, and close nothing: a network that has gone silent."""
        self._may_pass.clear()

    def speak(self) -> None:
        """Let all through again."""
        self._may_pass.set()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._target)
                self._open |= {client, server}
                for side, origin, target in ((FRONTEND, client, server), (BACKEND, server, client)):
                    threading.Thread(target=self._pump, args=(side, origin, target), daemon=True).start()

    def _pump(self, side: str, origin: socket.socket, target: socket.socket) -> None:
        try:
            for message, raw in _messages(side, origin):
                self._may_pass.wait()
                how = self._how(message)
                if how == FATAL or (how == THEN_FATAL and side == BACKEND):
                    client = target if side == BACKEND else origin
                    client.sendall((raw if how == THEN_FATAL else b"") + _SHUTDOWN)
                elif how is None:
                    target.sendall(raw)
                if how is not None:
                    return
        except OSError:
            pass
        finally:
            _close(origin)
            _close(target)
            self._open -= {origin, target}

    def _how(self, message: Message) -> str | None:
        """Count the message; return how to cut at it, None if it is to arrive."""
        with self._lock:
            number = next(self._numbers[message.side])
            self.seen.append(message)
            if self._cut is None or self.was_cut or (message.side, number) != (self._cut.side, self._cut.number):
                return None
            self.was_cut = True
            return self._cut.how


def _close(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


def _messages(side: str, origin: socket.socket) -> Iterator[tuple[Message, bytes]]:
    """Yield each message that comes, and its bytes as they came."""
    is_started = side == BACKEND
    while True:
        kind = _read(origin, 1) if is_started else b""
        length = _read(origin, 4) if kind or not is_started else b""
        if not length:
            return
        body = _read(origin, struct.unpack("!i", length)[0] - 4)
        is_started = is_started or struct.unpack("!i", body[:4])[0] not in _NEGOTIATIONS
        yield Message(side, kind, body), kind + length + body


def _read(origin: socket.socket, size: int) -> bytes:
    """Return so many bytes, fewer only at the end of the connection."""
    parts = b""
    while len(parts) < size and (part := origin.recv(size - len(parts))):
        parts += part
    return parts
