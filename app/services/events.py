"""Events: what users did (engage.md section 4.3)."""

from collections.abc import Mapping, Sequence
from typing import Any

from app import clock, cursors, ids, names
from app.errors import UserNotFound
from app.models import events as store
from app.models import users
from app.models.database import statement, transaction
from app.models.events import EventRow
from app.services.segments import membership

__all__ = ["EventRow", "new_row", "new_rows", "page", "record"]


def new_row(
    now: int,
    event: str,
    value: str | float | bool | None = None,
    properties: dict[str, Any] | None = None,
    timestamp: int | None = None,
) -> EventRow:
    """Return an event as it will be stored, with an id of its own; without a timestamp it happens now."""
    return EventRow(ids.new(), event, value, properties or {}, now if timestamp is None else timestamp)


def new_rows(now: int, sent: Sequence[Mapping[str, Any]]) -> list[EventRow]:
    """Return many events as `new_row` does, in a third of the time."""
    return [
        EventRow(
            id,
            one["event"],
            one.get("value"),
            one.get("properties") or {},
            now if (timestamp := one.get("timestamp")) is None else timestamp,
        )
        for id, one in zip(ids.several(len(sent)), sent, strict=True)
    ]


def record(
    workspace: int,
    uid: str,
    event: str,
    value: str | float | bool | None = None,
    properties: dict[str, Any] | None = None,
    timestamp: int | None = None,
    id: str | None = None,
    full: bool = True,
) -> None:
    """Record something the user of that uid did; an unknown uid makes a bare user first.

    timestamp: epoch milliseconds, now when None. id: the caller's name for the event; with the same one a second event
    of the workspace is taken for the first sent again, and not stored. The uid itself is no such name: some SDKs send
    it along with every event. full: whether the secret was given; names given with the public key alone are apart.
    An archived user's event is dropped. Raises errors.StorageUnavailable.
    """
    if id is not None and id != uid:
        _record_once(workspace, names.hash_of(id, full), uid, event, value, properties, timestamp)
        return
    now = clock.now()
    if store.record(workspace, uid, ids.new(), now, new_row(now, event, value, properties, timestamp)):
        membership.mark(workspace, uid)


@transaction
def _record_once(workspace: int, id_hash: str, uid: str, *event: Any) -> None:
    if store.claim_id(workspace, id_hash):
        record(workspace, uid, *event)


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
    Raises errors.UserNotFound, errors.StorageUnavailable.
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
