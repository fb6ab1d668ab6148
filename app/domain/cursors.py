"""Cursors: the end of a page, valid even after its row is deleted.

A cursor of users or lists is the `id` of the last row seen. Events are ordered by time and then by id, so theirs
carries both: 12 hex digits of shifted milliseconds, then the 24 of the id.
"""

import re
from typing import Any, NamedTuple

EVENT_PATTERN = "^[0-9a-f]{36}$"
_EVENT = re.compile("[0-9a-f]{36}")
_TIME_DIGITS = 12
_SHIFT = 1 << 46  # 2,200 years in milliseconds: keeps times before 1970 positive, so that they sort as text


class Page(NamedTuple):
    """Rows in the order of the reply, and the cursors of the pages around them (None where there is no such page)."""

    rows: list[Any]
    next: str | None = None
    previous: str | None = None


def page(found: list[Any], behind: bool, limit: int, backwards: bool) -> Page:
    """Return the page of rows that were found beyond a cursor, nearest first.

    found: one more than `limit` where there are more, each with an `id`. behind: whether there is a row on the
    cursor's other side. backwards: whether they were looked for before the cursor, against the order of the reply.
    """
    rows, beyond = found[:limit], len(found) > limit
    if backwards:
        rows.reverse()
    has_next, has_previous = (behind, beyond) if backwards else (beyond, behind)
    return Page(rows, rows[-1].id if rows and has_next else None, rows[0].id if rows and has_previous else None)


def short_page(found: list[Any], cursor: str | None, end: str | None, limit: int, backwards: bool) -> Page:
    """Return a page that was looked for up to an id, as `page` does; nobody knows what is on the cursor's other side.

    cursor: where it began. end: the last id that was looked at; None where that was the last there is.
    """
    whole = page(found, cursor is not None, limit, backwards)
    if backwards:
        return Page(whole.rows, whole.next or cursor, whole.previous or end)
    return Page(whole.rows, whole.next or end, whole.previous or cursor)


def of_event(timestamp: int, id: str) -> str:
    """Return the cursor of an event: its time in epoch milliseconds, its id."""
    return f"{timestamp + _SHIFT:0{_TIME_DIGITS}x}{id}"


def event_position(cursor: str) -> tuple[int, str]:
    """Return (epoch milliseconds, id) of a cursor that `is_event_cursor` takes."""
    return int(cursor[:_TIME_DIGITS], 16) - _SHIFT, cursor[_TIME_DIGITS:]


def is_event_cursor(text: str) -> bool:
    """Return True if the text has the form of an event's cursor."""
    return _EVENT.fullmatch(text) is not None
