"""Batches: many writes in one request, in order, each with its own verdict (engage.md section 6)."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from app import clock, errors, ids, uids
from app.models import events as events_store
from app.models import users as users_store
from app.models.database import Call, run_all, transaction
from app.services import events, users

_CHUNK = 500  # items a transaction: other writers wait 50 ms at most, and a commit is cheap among so many
_MANY_TABLES = ("lists", "accounts", "device_token", "uid", "archived")


class Item(NamedTuple):
    """One write: "create", "update" or "event" of the user of that uid, with the fields of that route."""

    position: int
    type: str
    uid: str
    fields: Mapping[str, Any]


def run(workspace: int, items: Sequence[Item], any_id: bool = False) -> dict[int, errors.Failure]:
    """Do the items in order; return {position: why} of those that were refused. The others are stored.

    A chunk of items is one transaction. any_id: as in `users.create`. Raises errors.StorageUnavailable; chunks before
    the one that failed are stored then, and doing the whole batch again is safe but for its events.
    """
    refused: dict[int, errors.Failure] = {}
    for start in range(0, len(items), _CHUNK):
        refused |= _run_chunk(workspace, items[start : start + _CHUNK], any_id)
    return refused


@transaction
def _run_chunk(workspace: int, items: Sequence[Item], any_id: bool) -> dict[int, errors.Failure]:
    refused: dict[int, errors.Failure] = {}
    claims = users_store.has_updateable(workspace)
    waiting: list[tuple[Item, list[Call]]] = []
    for item in items:
        if calls := _calls(workspace, item, claims, any_id):
            waiting.append((item, calls))
            continue
        refused |= _run_together(waiting)
        waiting = []
        try:
            _run_alone(workspace, item, any_id)
        except errors.StorageUnavailable:
            raise
        except errors.Failure as failure:
            refused[item.position] = failure
    return refused | _run_together(waiting)


def _is_sound(item: Item, any_id: bool) -> bool:
    return item.type != "create" or any_id or uids.is_plain(item.uid)


def _calls(workspace: int, item: Item, claims: bool, any_id: bool) -> list[Call]:
    """The calls of an item that is one statement to one table and cannot fail in the middle; none for any other."""
    fields, now = item.fields, clock.now()
    if item.type == "event":
        row = events.new_row(now, **fields)
        return events_store.calls(workspace, item.uid, ids.new(), now, row)
    may_claim = claims and item.type == "update" and (fields.get("email") or fields.get("number"))
    if may_claim or not _is_sound(item, any_id) or any(fields.get(name) is not None for name in _MANY_TABLES):
        return []
    return [users_store.upsert_call(workspace, ids.new(), item.uid, fields, now, lean=True)]


def _run_together(waiting: list[tuple[Item, list[Call]]]) -> dict[int, errors.Failure]:
    # In order of uids, and of the batch for each: so two batches with the same users cannot block each other.
    waiting = sorted(waiting, key=lambda pair: pair[0].uid)
    rows = iter(run_all([call for _, calls in waiting for call in calls]))
    refused: dict[int, errors.Failure] = {}
    for item, calls in waiting:
        answers = [next(rows) for _ in calls]
        if item.type != "event" and not answers[0]:
            refused[item.position] = users.too_many_keys()
    return refused


def _run_alone(workspace: int, item: Item, any_id: bool) -> None:
    if item.type == "create":
        users.create(workspace, item.uid, item.fields, full=True, any_id=any_id)
    else:
        users.update(workspace, item.uid, item.fields, full=True)
