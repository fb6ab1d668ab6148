"""Events of users (engage.md section 4.3)."""

from collections.abc import Mapping, Sequence
from typing import Any

from app import clock
from app.domain import cursors, ids, names
from app.errors import UserNotFound
from app.models import events as store
from app.models import users
from app.models.database import statement, transaction
from app.models.events import EventRow, Recording
from app.services.segments import membership

__all__ = ["DROPPED", "DUPLICATE", "ERASED", "EventRow", "new_row", "new_rows", "page", "record", "record_all"]

ERASED, DROPPED, DUPLICATE = "erased", "dropped", "duplicate"  # why an event is not stored (engage.md section 4.3)


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
) -> str | None:
    """Record something the user of that uid did; an unknown uid makes a bare user first.

    Returns why it was not stored, None where it was: ERASED, the uid was and nobody made it anew since; DROPPED, the
    user is archived; DUPLICATE, there is an event of that id, and now there is the user too.

    timestamp: epoch milliseconds, now when None. id: the caller's name for the event; with the same one a second event
    of the workspace is taken for the first sent again, and not stored. The uid itself is no such name: some SDKs send
    it along with every event. full: whether the secret was given; names given with the public key alone are apart.
    Raises errors.StorageUnavailable.
    """
    if id is not None and id != uid:
        return _record_once(workspace, names.hash_of(id, full), uid, event, value, properties, timestamp)
    now = clock.now()
    recorded = store.record(workspace, uid, ids.new(), now, new_row(now, event, value, properties, timestamp))
    if recorded.uids is not None and uid not in recorded.uids:
        return _why_not(workspace, uid)
    if recorded.rules:
        membership.mark(workspace, uid)
    return None


@transaction
def _record_once(workspace: int, id_hash: str, uid: str, *event: Any) -> str | None:
    is_new = store.claim_id(workspace, id_hash)
    outcome = record(workspace, uid, *event) if is_new else _make_user(workspace, uid)
    if outcome and is_new:
        store.release_id(workspace, id_hash)  # what was not stored may be sent again
    return outcome if outcome or is_new else DUPLICATE


def record_all(workspace: int, now: int, sent: Sequence[tuple[str, Mapping[str, Any]]]) -> list[str | None]:
    """Record many events as `record` would each with the secret; return the outcome of each, but DROPPED for ERASED.

    Call in a transaction. now: epoch milliseconds. sent: the uid and the fields of each; no id may stand there twice,
    as whether the first one is stored decides about the second.
    """
    named = [(uid, fields.get("id")) for uid, fields in sent]
    hashes = [None if id is None or id == uid else names.hash_of(id, full=True) for uid, id in named]
    free = store.claim_ids(workspace, [one for one in hashes if one])
    chosen = [(uid, fields) for (uid, fields), one in zip(sent, hashes, strict=True) if one is None or one in free]
    happened = new_rows(now, [fields for _, fields in chosen])
    recordings = [
        Recording(uid, id, row) for (uid, _), id, row in zip(chosen, ids.several(len(chosen)), happened, strict=True)
    ]
    there = set(store.record_all(workspace, now, recordings)) if recordings else set()
    again = {uid for (uid, _), one in zip(sent, hashes, strict=True) if one and one not in free}
    there |= store.make_users(workspace, dict(zip(again, ids.several(len(again)), strict=True)), now)
    unstored = [one for (uid, _), one in zip(sent, hashes, strict=True) if one in free and uid not in there]
    store.release_ids(workspace, [one for one in unstored if one])
    return [_outcome(uid in there, one is None or one in free) for (uid, _), one in zip(sent, hashes, strict=True)]


def _outcome(is_there: bool, is_new: bool) -> str | None:
    if not is_there:
        return DROPPED
    return None if is_new else DUPLICATE


def _make_user(workspace: int, uid: str) -> str | None:
    """Make a bare user where there is none; return why its event could not be stored, if so."""
    store.make_user(workspace, uid, ids.new(), clock.now())
    user = users.find(workspace, uid)
    if user is None:
        return ERASED
    return DROPPED if user.archived_at is not None else None


@statement
def _why_not(workspace: int, uid: str) -> str:
    return ERASED if users.find_id(workspace, uid) is None else DROPPED


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
