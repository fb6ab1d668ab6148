"""Pages on the wire: which one is asked for, and the cursors of its neighbours in the reply (engage.md section 4.4)."""

from collections.abc import Mapping
from typing import Any

from flask import request

from app.cursors import Page


def cursors(query: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the cursor after which and the one before which rows are asked for, whatever name it came under."""
    return query.get("next_cursor") or query.get("after_id"), query.get("previous_cursor") or query.get("before_id")


def body(rows: list[dict[str, Any]], page: Page) -> dict[str, Any]:
    """Return the reply of a page; `has_more` stands for the cursors where the deprecated parameters asked."""
    if "after_id" in request.args or "before_id" in request.args:
        further = page.next if "after_id" in request.args else page.previous
        return {"data": rows, "has_more": further is not None}
    neighbours = {"next_cursor": page.next, "previous_cursor": page.previous}
    return {"data": rows, **{name: cursor for name, cursor in neighbours.items() if cursor}}
