"""Flask without the parts that this service does not use: sessions, coroutines, a host check for each request."""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

from flask import Flask, Request, Response, request
from flask.sessions import NullSession, SessionInterface
from werkzeug.exceptions import NotFound
from werkzeug.routing import MapAdapter
from werkzeug.sansio.utils import get_host

Headers = list[tuple[str, str]]
_CACHED = 1_024  # names of hosts
_JSON = "application/json"
_ESCAPED_SLASH = re.compile("%2[fF]")
SLASH = "\udc2f"  # stands for a slash that was sent as %2F while the route is found: no path in UTF-8 has it


def asked() -> Request:
    """Return the request itself: each look at it through Flask's proxy costs time."""
    return request._get_current_object()  # type: ignore[attr-defined, no-any-return]


def path_to_match(request: Request) -> str:
    """Return the path with SLASH for each slash that was sent as %2F, which belongs to a name.

    A server that does not tell the path as it was sent, or tells another one, has the path without escapes.
    """
    sent = request.environ.get("RAW_URI", "").partition("?")[0]
    if "%2" not in sent or not _ESCAPED_SLASH.search(sent):
        return request.path
    if not sent.startswith("/"):  # the absolute form of a request to a proxy (RFC 9112 section 3.2.2)
        sent = "/" + sent.partition("://")[2].partition("/")[2]
    parts = [unquote_to_bytes(part.encode("latin-1")).decode("utf-8", "replace") for part in _ESCAPED_SLASH.split(sent)]
    return SLASH.join(parts) if "/".join(parts) == request.path else request.path


class Reply(Response):
    """A reply. common: headers that every reply has; they join the others when it is sent."""

    common: Sequence[tuple[str, str]] = ()

    def get_wsgi_response(self, environ: dict[str, Any]) -> tuple[Iterable[bytes], str, Headers]:
        """Return the body, the status line and all headers."""
        body, status, headers = super().get_wsgi_response(environ)
        return body, status, [*headers, *self.common]


class JsonReply(Reply):
    """A reply that is whole and in memory: it is sent without a look at its content."""

    def __init__(self, body: bytes, status: int = 200):
        super().__init__(body, status, content_type=_JSON)

    def get_wsgi_response(self, environ: dict[str, Any]) -> tuple[Iterable[bytes], str, Headers]:
        """Return the body, the status line and all headers."""
        body = () if environ["REQUEST_METHOD"] == "HEAD" else self.response
        return body, self.status, [*self.headers, *self.common]  # type: ignore[return-value]


class NoSession(SessionInterface):
    """Nobody has a session here. One for all: it takes nothing in."""

    _only = NullSession()

    def open_session(self, app: Flask, request: Request) -> NullSession:
        """Return an empty session."""
        return self._only


class BareFlask(Flask):
    """Flask for views that are plain functions, on hosts of any name, without sessions."""

    response_class = Reply
    session_interface = NoSession()

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._host = lru_cache(_CACHED)(self._look_at_host)

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function: none of ours is a coroutine."""
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Return what finds the route of a request; check each host once. Raises BadHost, NotFound."""
        if request is None:
            return None
        if request.environ["PATH_INFO"].startswith("//"):  # werkzeug takes all slashes in front for one
            raise NotFound()
        request.host, name = self._host(request.scheme, request.environ.get("HTTP_HOST"), request.server)
        return MapAdapter(
            self.url_map,
            name,
            request.root_path,
            "",
            request.scheme,
            path_to_match(request),
            request.method,
            request.query_string.decode("latin-1"),
        )

    def _look_at_host(self, scheme: str, header: str | None, server: Any) -> tuple[str, str]:
        host = get_host(scheme, header, server)
        return host, self.url_map.bind(host.lower()).server_name
