"""Replies of the hot path: the same bytes as the routes send, without a Flask response."""

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from app.api import pages, rates, replies
from app.api.hot.recognising import Wanted
from app.api.requests import HTTPS_ONLY, SAFE_HEADERS
from app.domain.cursors import Page
from app.services.rates import Standing
from app.services.users import UserRow
from app.services.users.group_commit import Appended, Upserted

_DONE = orjson.dumps({"status": "ok"})
_SAFE = b"".join(b"%b: %b\r\n" % (name.lower().encode(), value.encode()) for name, value in SAFE_HEADERS.items())
_SECURE = _SAFE + b"strict-transport-security: %b\r\n" % HTTPS_ONLY.encode()


class Reply(NamedTuple):
    """A reply with status 200. head: lines of headers as they are sent, names in small letters, written at once."""

    head: bytes
    body: bytes

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The pairs of the head."""
        return [(name, value) for name, _, value in (line.partition(b": ") for line in self.head.splitlines())]


def make(wanted: Wanted, result: Any, standings: Sequence[Standing]) -> Reply:
    """Return the reply of what was wanted."""
    body, extra = _SHOWN[result.__class__](wanted, result)
    head = b"content-type: application/json\r\ncontent-length: %d\r\n%bx-request-id: %b\r\n%b" % (
        len(body), extra, wanted.request_id.encode(), _SECURE if wanted.is_secure else _SAFE,
    )  # fmt: skip
    return Reply(head + _rates(standings) if standings else head, body)


def _rates(standings: Sequence[Standing]) -> bytes:
    pairs = rates.headers(standings).items()
    return b"".join(b"%b: %b\r\n" % (name.lower().encode(), value.encode()) for name, value in pairs)


def line(wanted: Wanted) -> dict[str, Any]:
    """Return the line of the log about what was wanted and is answered now."""
    return {
        "request_id": wanted.request_id,
        "method": wanted.request.method,
        "route": f"/v1{wanted.route}" if wanted.request.target.startswith(b"/v1") else wanted.route,
        "status": 200,
        "milliseconds": round((time.perf_counter() - wanted.request.started) * 1000, 2),
        "workspace": wanted.credential.workspace,
        "code": None,
    }


_Shown = tuple[bytes, bytes]  # the body, and the lines of headers that come with it


def _user(wanted: Wanted, found: UserRow | str) -> _Shown:
    body = replies.user_json(found)
    return body, b"etag: %b\r\n" % replies.etag(body).encode()


def _saved(wanted: Wanted, saved: Upserted) -> _Shown:
    return _user(wanted, saved.user) if saved.created else (replies.user_json(saved.user), b"")


def _page(wanted: Wanted, page: Page) -> _Shown:
    return replies.users_json(page.rows, pages.neighbours(page)), _link(wanted, page.next) if page.next else b""


def _link(wanted: Wanted, cursor: str) -> bytes:
    # Nothing is to be escaped in the paths and queries that are recognised.
    query = "".join(f"{name}={value}&" for name, value in wanted.query)
    return f"link: {pages.next_link(f'{wanted.path}?{query}', cursor)}\r\n".encode()


def _done(wanted: Wanted, result: Appended) -> _Shown:
    return _DONE, b""


_SHOWN: dict[type, Any] = {
    UserRow: _user, str: _user, Upserted: _saved, Page: _page, Appended: _done,
}  # fmt: skip
