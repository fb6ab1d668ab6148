"""Pagination: which page a request asks for, and the cursors of its neighbours (engage.md section 4.4)."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from flask import Response, request

from app.domain.cursors import Page
from app.schemas.pages import CURSORS

_IN_URL = "/?&=%+~-_.:"  # what stays as it is in the path and query of a link


def cursors(query: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the cursor after which and the one before which rows are asked for, whatever name it came under."""
    return query.get("next_cursor") or query.get("after_id"), query.get("previous_cursor") or query.get("before_id")


def between(query: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the query asks for, with its cursors as `after` and `before`."""
    after, before = cursors(query)
    rest = {name: value for name, value in query.items() if name not in CURSORS}
    return {**rest, "after": after, "before": before}


def asked(query: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of `users.page`: limit, cursors, order and filters."""
    rest = {name: value for name, value in query.items() if name not in ("order", "shown")}
    return {**between(rest), "descending": query.get("order") == "desc"}


def link(response: Response, page: Page, cursor: str = "next_cursor") -> Response:
    """Point to the next page in a Link header too (RFC 8288). cursor: the name of its parameter."""
    if page.next:
        query = [(name, value) for name, value in request.args.items(multi=True) if name not in (*CURSORS, cursor)]
        target = quote(f"{request.path}?{urlencode(query)}{'&' if query else ''}", safe=_IN_URL)
        response.headers["Link"] = next_link(target, page.next, cursor)
    return response


def next_link(target: str, cursor: str, name: str = "next_cursor") -> str:
    """Return the value of the Link header. target: path and query as they stand in a URL, to go on with the cursor."""
    return f'<{target}{name}={cursor}>; rel="next"'


def body(rows: list[dict[str, Any]], page: Page) -> dict[str, Any]:
    """Return the reply of a page."""
    return {"data": rows, **around(page)}


def around(page: Page) -> dict[str, Any]:
    """Return what stands beside the rows; `has_more` for the cursors where the deprecated parameters asked."""
    if "after_id" in request.args or "before_id" in request.args:
        further = page.next if "after_id" in request.args else page.previous
        return {"has_more": further is not None}
    return neighbours(page)


def neighbours(page: Page) -> dict[str, str]:
    """Return the cursors of the pages before and after, as far as there are any."""
    found = {"next_cursor": page.next, "previous_cursor": page.previous}
    return {name: cursor for name, cursor in found.items() if cursor}
