"""What the requests of one moment ask for, done together: one round trip for the reads, one commit for the writes.

This is the group commit: a write is acknowledged when the transaction that it shares is on disk. An operation is one
or two statements, made from those of the routes (app/services/users.py, events.py), and what becomes of their rows.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from app import clock, cursors, ids
from app.models import events as events_store
from app.models import users as users_store
from app.models.database import Call, commit_all, run_all, statement
from app.models.keyset import of_workspace
from app.services import events
from app.services.users import Saved

Rows = list[list[tuple[Any, ...]]]


class Operation(NamedTuple):
    """Something to be done among others.

    result: makes the answer of the rows of the calls, None where the operation needs its own way through the services:
    it has done nothing then. user: whom it writes to, "" if it only reads. check: a read that must find nothing before
    the write is done here.
    """

    calls: Sequence[Call]
    result: Callable[[Rows], Any]
    user: str = ""
    check: Call | None = None


def retrieve(workspace: int, uid: str) -> Operation:
    """Return the operation that finds a user: a UserRow."""
    return Operation(
        [users_store.find_call(workspace, uid)], lambda rows: users_store.row(rows[0][0]) if rows[0] else None
    )


def page(workspace: int, limit: int, after: str | None) -> Operation:
    """Return the operation that finds a page of users in the order of their ids: a Page."""

    def result(rows: Rows) -> cursors.Page:
        found = [users_store.row(values[1:]) for values in rows[0]]
        return cursors.page(found, bool(rows[0] and rows[0][0][0]), limit, backwards=False)

    return Operation([users_store.page_call(limit + 1, [of_workspace(workspace)], after)], result)


def save(workspace: int, uid: str, fields: Mapping[str, Any]) -> Operation:
    """Return the operation that makes a user or changes the fields, with the secret: a Saved.

    fields: at least one, of those that are columns of the user. As `users.update`, but for uids that would go to a
    user who has none: where there is one with that email or number, nothing is done.
    """
    id = ids.new()
    call = users_store.upsert_call(workspace, id, uid, fields, clock.now())

    def result(rows: Rows) -> Saved | None:
        if not rows[0]:
            return None  # too many meta keys
        user = users_store.row(rows[0][0])
        return Saved(user, user.id == id)

    return Operation([call], result, uid, users_store.claimants_call(workspace, fields))


def record(workspace: int, uid: str, fields: Mapping[str, Any]) -> Operation:
    """Return the operation that records an event: True. fields: as `events.record` takes them, without an id."""
    now = clock.now()
    calls = events_store.calls(workspace, uid, ids.new(), now, events.new_row(now, **fields))
    return Operation(calls, lambda rows: True, uid)


@statement
def look(operations: Sequence[Operation]) -> list[Any]:
    """Do operations that only read; return their results. Raises errors.StorageUnavailable."""
    return _results(operations, run_all([call for one in operations for call in one.calls]))


def write(operations: Sequence[Operation]) -> list[Any]:
    """Do operations that write, in one transaction, all or none; return their results when it is on disk.

    Raises errors.StorageUnavailable: then nobody knows whether they were done.
    """
    free = _free(operations)
    if not free:
        return [None] * len(operations)
    # In the order of users: two groups that write to the same ones cannot block each other.
    ordered = sorted(free, key=lambda index: operations[index].user)
    chosen = [operations[index] for index in ordered]
    rows = commit_all([call for one in chosen for call in one.calls])
    done = dict(zip(ordered, _results(chosen, rows), strict=True))
    return [done.get(index) for index in range(len(operations))]


@statement
def _free(operations: Sequence[Operation]) -> list[int]:
    """The indexes of the operations whose check finds nothing."""
    checks = [(index, one.check) for index, one in enumerate(operations) if one.check]
    if not checks:
        return list(range(len(operations)))
    found = run_all([check for _, check in checks])
    taken = {index for (index, _), rows in zip(checks, found, strict=True) if rows}
    return [index for index in range(len(operations)) if index not in taken]


def _results(operations: Sequence[Operation], rows: Rows) -> list[Any]:
    remaining = iter(rows)
    return [one.result([next(remaining) for _ in one.calls]) for one in operations]
