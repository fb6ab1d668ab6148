"""What the requests of one moment ask for, done together: one round trip for the reads, one commit for the writes.

This is the group commit: a write is acknowledged when the transaction that it shares is on disk. An operation is one
or two statements, made from those of the routes (app/services/users.py, events.py), and what becomes of their rows.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from app import clock, cursors, errors, ids
from app.models import events as events_store
from app.models import users as users_store
from app.models.database import Call, commit_all, reading, run_all, statement
from app.models.keyset import of_workspace
from app.models.users import rendering
from app.services import events
from app.services.segments import membership
from app.services.users import RenderedUser, Saved, UserRow

Rows = list[list[tuple[Any, ...]]]


class Recorded(NamedTuple):
    """An event that was recorded. rules: the version of the workspace's segments, None where there are none."""

    rules: str | None


class Operation(NamedTuple):
    """Something to be done among others.

    result: makes the answer of the rows of the calls, None where the operation needs its own way through the services:
    it has done nothing then. user: whom it writes to, "" if it only reads. check: a read that must find nothing before
    the write is done here. workspace: the one whose users the answer shows, if it shows any. more: what a read still
    has to ask when it knows the rows of its calls; its rows are added to them. sought: instead of calls the uid of the
    user whose row it wants, which is asked for together with those of others.
    """

    calls: Sequence[Call]
    result: Callable[[Rows], Any]
    user: str = ""
    check: Call | None = None
    workspace: int = 0
    more: Callable[[Rows], Sequence[Call]] | None = None
    sought: str = ""


def retrieve(workspace: int, uid: str) -> Operation:
    """Return the operation that finds a user: a UserRow, or a RenderedUser where the database writes it."""
    if not rendering.renders():
        return Operation((), _user, workspace=workspace, sought=uid)

    def more(rows: Rows) -> Sequence[Call]:
        return [users_store.find_call(workspace, uid)] if _has_segments(rows) else ()

    return Operation([rendering.find_call(workspace, uid)], _rendered_user, workspace=workspace, more=more)


def _user(rows: Rows) -> UserRow | None:
    return users_store.row(rows[0][0]) if rows[0] else None


def _rendered_user(rows: Rows) -> UserRow | RenderedUser | None:
    if _has_segments(rows):
        return _user(rows[1:])
    return RenderedUser(*rows[0][0][:2]) if rows[0] else None


def _has_segments(rows: Rows) -> bool:
    return bool(rows[0] and rows[0][0][2])


def page(workspace: int, limit: int, after: str | None) -> Operation:
    """Return the operation that finds users in the order of their ids: a Page of what `retrieve` finds."""

    def made() -> Call:
        return users_store.page_call(limit + 1, [of_workspace(workspace)], after)

    def result(rows: Rows) -> cursors.Page:
        found = [users_store.row(values[1:]) for values in rows[0]]
        return cursors.page(found, bool(rows[0] and rows[0][0][0]), limit, backwards=False)

    if not rendering.renders():
        return Operation([made()], result, workspace=workspace)

    def more(rows: Rows) -> Sequence[Call]:
        if not rows[0] or _has_segments(rows):
            return [made()]
        return [rendering.beside_call(workspace, rows[0][0][0], rows[0][-1][0])]

    def rendered(rows: Rows) -> cursors.Page:
        if not rows[0] or _has_segments(rows):
            return result(rows[1:])
        return cursors.page(rendering.complete(*rows), bool(rows[0][0][3]), limit, backwards=False)

    return Operation([rendering.page_call(workspace, limit + 1, after)], rendered, workspace=workspace, more=more)


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

    return Operation([call], result, uid, users_store.claimants_call(workspace, fields), workspace)


def record(workspace: int, uid: str, fields: Mapping[str, Any]) -> Operation:
    """Return the operation that records an event: a Recorded. fields: as `events.record` takes them, without an id."""
    now = clock.now()
    calls = events_store.calls(workspace, uid, ids.new(), now, events.new_row(now, **fields))
    return Operation(calls, lambda rows: Recorded(events_store.rules_in(rows)), uid, workspace=workspace)


def look(operations: Sequence[Operation]) -> list[Any]:
    """Do operations that only read; return their results. Raises errors.StorageUnavailable."""
    return _with_segments(operations, _look(operations))


@statement
def _look(operations: Sequence[Operation]) -> list[Any]:
    with reading():
        found = _ask(operations)
        for one, rows in zip(operations, found, strict=True):
            if one.more and (calls := one.more(rows)):
                rows.extend(run_all(calls))
    return [one.result(rows) for one, rows in zip(operations, found, strict=True)]


def _ask(operations: Sequence[Operation]) -> list[Rows]:
    """Return the rows of each; one statement finds the users of a workspace that any of them seek.

    With a statement for each psycopg alone took as long as all the rest: this saves 31 us of 60.
    """
    uids: dict[int, dict[str, None]] = {}
    for one in operations:
        if one.sought:
            uids.setdefault(one.workspace, {})[one.sought] = None
    together = [users_store.find_each_call(workspace, list(sought)) for workspace, sought in uids.items()]
    rows = run_all([*together, *(call for one in operations for call in one.calls)])
    users = {(workspace, row[1]): row for workspace, found in zip(uids, rows, strict=False) for row in found}
    remaining = _shared_out(operations, rows[len(together) :])
    return [
        [[users[one.workspace, one.sought]] if (one.workspace, one.sought) in users else []] if one.sought else own
        for one, own in zip(operations, remaining, strict=True)
    ]


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
    results = _results(chosen, rows)
    _mark(chosen, results)
    done = dict(zip(ordered, _with_segments(chosen, results), strict=True))
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
    return [one.result(own) for one, own in zip(operations, _shared_out(operations, rows), strict=True)]


def _shared_out(operations: Sequence[Operation], rows: Rows) -> list[Rows]:
    remaining = iter(rows)
    return [[next(remaining) for _ in one.calls] for one in operations]


def _mark(operations: Sequence[Operation], results: list[Any]) -> None:
    """Have the users who were written looked at by the next sweep, where the rows say that there are segments."""
    marked: dict[int, list[str]] = {}
    for one, result in zip(operations, results, strict=True):
        written = result.user if result.__class__ is Saved else result
        if written is not None and written.rules is not None:
            marked.setdefault(one.workspace, []).append(one.user)
    for workspace, uids in marked.items():
        with contextlib.suppress(errors.StorageUnavailable):  # they are written; the sweep of everybody finds them
            membership.mark(workspace, *uids)


def _with_segments(operations: Sequence[Operation], results: list[Any]) -> list[Any]:
    """Decide the segments of all users of the results: a statement for each workspace that has any."""
    shown = [_users_of(result) for result in results]
    waiting: dict[int, list[UserRow]] = {}
    for one, rows in zip(operations, shown, strict=True):
        if rows and rows[0].rules is not None:
            waiting.setdefault(one.workspace, []).extend(rows)
    if not waiting:
        return results
    decided = {workspace: iter(membership.shown(workspace, rows)) for workspace, rows in waiting.items()}
    return [
        _showing(result, [next(decided[one.workspace]) for _ in rows]) if rows and rows[0].rules is not None else result
        for one, rows, result in zip(operations, shown, results, strict=True)
    ]


def _users_of(result: Any) -> list[UserRow]:
    if result.__class__ is UserRow:
        return [result]
    rows = [result.user] if result.__class__ is Saved else result.rows if result.__class__ is cursors.Page else []
    return rows if rows and rows[0].__class__ is UserRow else []


def _showing(result: Any, rows: list[UserRow]) -> Any:
    if result.__class__ is UserRow:
        return rows[0]
    return result._replace(user=rows[0]) if result.__class__ is Saved else result._replace(rows=rows)
