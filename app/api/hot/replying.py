"""Replies of the hot path: the bytes that the routes answer, without Flask's response around them."""

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from app.api import pages, rates, replies
from app.api.hot.recognising import Wanted
from app.api.requests import HTTPS_ONLY, SAFE_HEADERS
from app.cursors import Page
from app.services.rates import Standing
from app.services.together import Recorded
from app.services.users import RenderedUser, Saved, UserRow

_DONE = orjson.dumps({"status": "ok"})
_JSON = (b"content-type", b"application/json")
_SAFE = [(name.lower().encode(), value.encode()) for name, value in SAFE_HEADERS.items()]


_SECURE = [(b"strict-transport-security", HTTPS_ONLY.encode())]


class Reply(NamedTuple):
    """A reply with status 200. headers: names in small letters."""

    headers: Sequence[tuple[bytes, bytes]]
    body: bytes


def make(wanted: Wanted, result: Any, standings: Sequence[Standing]) -> Reply:
    """Return the reply of what was wanted."""
    body, extra = _SHOWN[result.__class__](wanted, result)
    headers = [
        _JSON,
        (b"content-length", str(len(body)).encode()),
        *extra,
        (b"x-request-id", wanted.request_id.encode()),
        *_SAFE,
        *(_SECURE if wanted.is_secure else ()),
        *[(name.lower().encode(), value.encode()) for name, value in rates.headers(standings).items()],
    ]
    return Reply(headers, body)


def line(wanted: Wanted) -> dict[str, Any]:
    """Return the line of the log about what was wanted and is answered now."""
    return {
        "request_id": wanted.request_id,
        "method": wanted.request.method,
        "route": wanted.route,
        "status": 200,
        "milliseconds": round((time.perf_counter() - wanted.request.started) * 1000, 2),
        "workspace": wanted.workspace,
        "code": None,
    }


_Shown = tuple[bytes, Sequence[tuple[bytes, bytes]]]


def _user(wanted: Wanted, found: UserRow | RenderedUser) -> _Shown:
    body = replies.user_json(found)
    return body, [(b"etag", replies.etag(body).encode())]


def _saved(wanted: Wanted, saved: Saved) -> _Shown:
    return _user(wanted, saved.user) if saved.created else (replies.user_json(saved.user), ())


def _page(wanted: Wanted, page: Page) -> _Shown:
    body = replies.users_json(page.rows, pages.neighbours(page))
    link = pages.next_link(wanted.path, wanted.query, page)
    return body, [(b"link", link.encode())] if link else ()


def _done(wanted: Wanted, result: Recorded) -> _Shown:
    return _DONE, ()


_SHOWN: dict[type, Any] = {
    UserRow: _user, RenderedUser: _user, Saved: _saved, Page: _page, Recorded: _done,
}  # fmt: skip
