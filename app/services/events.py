"""Events: what users did (engage.md section 4.3)."""

from typing import Any

from app import clock, cursors, ids
from app.errors import UserNotFound
from app.models import events as store
from app.models import users
from app.models.database import statement
from app.models.events import EventRow

__all__ = ["EventRow", "new_row", "page", "record"]


def new_row(
    now: int,
    event: str,
    value: str | float | bool | None = None,
    properties: dict[str, Any] | None = None,
    timestamp: int | None = None,
) -> EventRow:
    """Return an event as it will be stored, with an id of its own; without a timestamp it happens now."""
    return EventRow(ids.new(), event, value, properties or {}, now if timestamp is None else timestamp)


def record(
    workspace: int,
    uid: str,
    event: str,
    value: str | float | bool | None = None,
    properties: dict[str, Any] | None = None,
    timestamp: int | None = None,
) -> None:
    """Record something the user of that uid did; an unknown uid makes a bare user first.

    timestamp: epoch milliseconds, now when None. An archived user's event is dropped.
    Raises errors.StorageUnavailable.
    """
    now = clock.now()
    store.record(workspace, uid, ids.new(), now, new_row(now, event, value, properties, timestamp))


@statement
def page(
    workspace: int,
    uid: str,
    limit: int,
    cursor: str | None = None,
    event: str | None = None,
    since: int | None = None,
    until: int | None = None,
) -> cursors.Page:
    """Return the user's events, newest first, as EventRows.

    limit: rows at most. cursor: the `next` of an earlier page. event: only those of this name. since, until: epoch
    milliseconds; only events from the one on and before the other.
    Raises errors.UserNotFound, errors.InvalidInput for a bad cursor, errors.StorageUnavailable.
    """
    filters: dict[str, tuple[Any, ...]] = {} if cursor is None else {"position": cursors.event_position(cursor)}
    filters |= {
        name: (value,) for name, value in (("event", event), ("since", since), ("until", until)) if value is not None
    }
    user_id = users.find_id(workspace, uid)
    if user_id is None:
        raise UserNotFound()
    found = store.page(workspace, user_id, limit + 1, filters)
    rows, last = found[:limit], found[limit - 1] if len(found) > limit else None
    return cursors.Page(rows, next=last and cursors.of_event(last.timestamp, last.id))
