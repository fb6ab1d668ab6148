"""Erasure requests: rows that a worker claims, tries and marks as done."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import peewee

from app.models.database import BaseModel, Call, Statement, run_all, write_many
from app.models.dialects import given
from app.models.keyset import Filter, Keyset

PENDING, ERASED, FAILED = "pending", "erased", "failed"
STATES = (PENDING, ERASED, FAILED)


class Deletion(BaseModel):
    """A user who is to be erased. Times are epoch milliseconds; `user_id` is NULL when it is done.

    `next_at`: when to try; a worker that claims it moves that on, so that a worker that dies loses nothing.
    """

    workspace_id = peewee.BigIntegerField()
    id = peewee.TextField()
    user_id = peewee.TextField(null=True)
    state = peewee.TextField()
    requested_at = peewee.BigIntegerField()
    due_at = peewee.BigIntegerField()
    next_at = peewee.BigIntegerField()
    attempts = peewee.BigIntegerField(default=0)
    erased_at = peewee.BigIntegerField(null=True)

    class Meta:
        table_name = "deletions"
        primary_key = peewee.CompositeKey("workspace_id", "id")


class DeletionRow(NamedTuple):
    """A deletion as shown, without its user."""

    id: str
    state: str
    requested_at: int
    due_at: int
    attempts: int
    erased_at: int | None


class Claimed(NamedTuple):
    """A deletion that is ours to try."""

    id: str
    user_id: str
    attempts: int


_ADD_ALL = Statement(
    lambda d: (
        "INSERT INTO deletions (workspace_id, state, requested_at, due_at, next_at, id, user_id) "
        f"{given(d, 5, {'id': 'text', 'user_id': 'text'}, in_order=False)}"
    )
)
_DUE = Statement(
    lambda d: (
        f"SELECT id, user_id, attempts FROM deletions WHERE workspace_id = ? AND state = '{PENDING}' "
        f"AND next_at <= ? ORDER BY next_at, id LIMIT ?" + (f"{d.for_update} SKIP LOCKED" if d.for_update else "")
    )
)
_POSTPONE = Statement(
    "UPDATE deletions SET attempts = attempts + 1, next_at = ? WHERE workspace_id = ? AND id = ? RETURNING id"
)
_GIVE_UP = Statement(
    f"UPDATE deletions SET state = '{FAILED}' WHERE workspace_id = ? AND state = '{PENDING}' "
    f"AND next_at <= ? AND attempts >= ? RETURNING id"
)


def add_all(workspace: int, users: Sequence[tuple[str, str]], now: int, due: int) -> None:
    """Note that users, at least one, are to be erased: (id of the deletion, id of the user). Call in a transaction."""
    write_many(_ADD_ALL, (workspace, PENDING, now, due, due), list(zip(*users, strict=True)))


def due(workspace: int, now: int, count: int) -> list[Claimed]:
    """Claim up to `count` due deletions: return those that no other worker has locked. Call in a transaction."""
    return [Claimed._make(values) for values in _DUE(workspace, now, count)]


def postpone(workspace: int, times: Sequence[tuple[str, int]]) -> None:
    """Count an attempt of each deletion, and say when to try it again: (id, epoch milliseconds)."""
    run_all([Call(_POSTPONE, (next_at, workspace, id)) for id, next_at in times])


def finish(workspace: int, id: str, now: int) -> bool:
    """Mark the deletion as done. Returns False if another worker has. Call in the erasing transaction."""
    is_ours = (Deletion.workspace_id == workspace) & (Deletion.id == id) & (Deletion.state == PENDING)
    return bool(Deletion.update(state=ERASED, erased_at=now, user_id=None).where(is_ours).execute())


def give_up(workspace: int, now: int, attempts: int) -> list[str]:
    """Mark those as failed that were tried so often and are due again; return their ids."""
    return [id for (id,) in _GIVE_UP(workspace, now, attempts)]


def retry(workspace: int, now: int) -> int:
    """Queue all failed deletions again, from the start. Returns how many."""
    is_failed = (Deletion.workspace_id == workspace) & (Deletion.state == FAILED)
    return int(Deletion.update(state=PENDING, attempts=0, next_at=now).where(is_failed).execute())


_PAGE = Keyset("deletions", lambda d: ", ".join(f"deletions.{name}" for name in DeletionRow._fields))


def page(count: int, filters: Sequence[Filter], cursor: str | None) -> tuple[list[DeletionRow], bool]:
    """Return deletions as Keyset says, newest first. filters: `of_workspace` and `by_state`."""
    rows, behind = _PAGE(count, filters, cursor, descending=True)
    return [DeletionRow._make(values) for values in rows], behind


def by_state(state: Any) -> Filter:
    """Return the filter of one of STATES."""
    return Filter("{row}.state = ?", (state,))
