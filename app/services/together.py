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
from app.models.database import Call, commit_all, db, reading, run_all, statement
from app.models.keyset import of_workspace
from app.models.shares import Share, merge
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
    the write is done here. workspace: the one that it is about. more: what a read still has to ask when it knows the
    rows of its calls; its rows are added to them.
    """

    calls: Sequence[Call | Share]
    result: Callable[[Rows], Any]
    user: str = ""
    check: Call | Share | None = None
    workspace: int = 0
    more: Callable[[Rows], Sequence[Call | Share]] | None = None


class Retrieval(NamedTuple):
    """A user to be found among others: a RenderedUser, or a UserRow where the database cannot write it; None if nobody.

    As an Operation, with a call and functions for each, a read on SQLite took the hot path 18 us in place of 15.
    """

    workspace: int
    uid: str

    @property
    def user(self) -> str:
        """As of an Operation that only reads."""
        return ""


def page(workspace: int, limit: int, after: str | None) -> Operation:
    """Return the operation that finds users in the order of their ids: a Page of UserRows, or of JSON as `retrieve`.

    The JSON is that of each, or one text of all with commas between.
    """

    def more(rows: Rows) -> Sequence[Call]:
        found = rendering.page_of(rows[0], limit)
        if found is None or (found.beside is not None and not found.is_by_hand):
            return ()
        if found.is_by_hand:
            return [users_store.page_call(limit + 1, [of_workspace(workspace)], after)]
        return [rendering.beside_call(workspace, found.first, found.last)]

    def result(rows: Rows) -> cursors.Page:
        found = rendering.page_of(rows[0], limit)
        if found is None:
            return cursors.Page([])
        if found.is_by_hand:
            made = [users_store.row(values[1:]) for values in rows[1]]
            return cursors.page(made, bool(rows[1] and rows[1][0][0]), limit, backwards=False)
        users = found.complete(rows[1] if found.beside is None else found.beside)
        return cursors.Page(users, found.last if found.has_next else None, found.first if found.has_previous else None)

    return Operation([rendering.page_call(workspace, limit, after)], result, workspace=workspace, more=more)


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


def look(wanted: Sequence[Operation | Retrieval]) -> list[Any]:
    """Do what only reads; return the results. Raises errors.StorageUnavailable."""
    return _with_segments(wanted, _look(wanted))


@statement
def _look(wanted: Sequence[Operation | Retrieval]) -> list[Any]:
    uids: dict[int, list[str]] = {}
    for one in wanted:
        if isinstance(one, Retrieval):
            uids.setdefault(one.workspace, []).append(one.uid)
    finds = [rendering.find_call(*both) for both in uids.items()]
    operations = [one for one in wanted if isinstance(one, Operation)]
    with reading():
        users, *found = _ask([finds, *[one.calls for one in operations]])
        by_uid = {(workspace, row[1]): row for workspace, several in zip(uids, users, strict=True) for row in several}
        unlike = [(key, row) for key, row in by_uid.items() if row[_BY_HAND] or row[_HAS_SIDES]]
        asked = [one.more(rows) if one.more else () for one, rows in zip(operations, found, strict=True)]
        beside, *more = _ask([[_more_call(*one) for one in unlike], *asked])
    shown: dict[tuple[int, str], Any] = {key: RenderedUser(row[0], row[2]) for key, row in by_uid.items()}
    shown |= {key: _user(row, rest) for (key, row), rest in zip(unlike, beside, strict=True)}
    results = iter([one.result([*rows, *rest]) for one, rows, rest in zip(operations, found, more, strict=True)])
    return [shown.get(one) if isinstance(one, Retrieval) else next(results) for one in wanted]


_BY_HAND, _HAS_SIDES = 3, 4  # places in a row of rendering.find_call


def _more_call(key: tuple[int, str], row: tuple[Any, ...]) -> Call | Share:
    """Return the call for what is missing of a user whom the database did not write, or not whole."""
    workspace, uid = key
    if row[_BY_HAND]:
        return users_store.find_call(workspace, uid)
    return rendering.beside_call(workspace, row[0], row[0])


def _user(row: tuple[Any, ...], more: list[tuple[Any, ...]]) -> UserRow | RenderedUser | None:
    if row[_BY_HAND]:
        return users_store.row(more[0]) if more else None
    return RenderedUser(row[0], rendering.complete([(row[0], row[2])], more)[0])


def _ask(wanted: Sequence[Sequence[Call | Share]]) -> list[Rows]:
    """Run the calls of all at once, if there are any; return the rows of each."""
    merged = merge([call for calls in wanted for call in calls])
    return _shared_out(wanted, merged.deal(run_all(merged.calls)) if merged.calls else [])


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
    merged = merge([call for one in chosen for call in one.calls])
    locks = _locks(chosen) if len(merged.calls) > 1 else []
    rows = merged.deal(commit_all([*locks, *merged.calls])[len(locks) :])
    results = [
        one.result(own) for one, own in zip(chosen, _shared_out([one.calls for one in chosen], rows), strict=True)
    ]
    _mark(chosen, results)
    done = dict(zip(ordered, _with_segments(chosen, results), strict=True))
    return [done.get(index) for index in range(len(operations))]


@statement
def _free(operations: Sequence[Operation]) -> list[int]:
    """The indexes of the operations whose check finds nothing."""
    checks = [(index, one.check) for index, one in enumerate(operations) if one.check]
    if not checks:
        return list(range(len(operations)))
    found = _ask([[check] for _, check in checks])
    taken = {index for (index, _), [rows] in zip(checks, found, strict=True) if rows}
    return [index for index in range(len(operations)) if index not in taken]


def _locks(operations: Sequence[Operation]) -> list[Call]:
    """The calls that take the users in the order of their uids, where statements for many would take them in turns.

    Of those who are made only now none is locked before: Postgres finds two groups that block each other so, which
    takes it a second, and one is tried again.
    """
    if not db.dialect.shares:
        return []
    uids: dict[int, list[str]] = {}
    for one in operations:
        uids.setdefault(one.workspace, []).append(one.user)
    return [users_store.lock_call(workspace, uids[workspace]) for workspace in sorted(uids)]


def _shared_out(wanted: Sequence[Sequence[Call | Share]], rows: Rows) -> list[Rows]:
    """The rows of the calls of each, of the rows of all."""
    remaining = iter(rows)
    return [[next(remaining) for _ in calls] for calls in wanted]


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


def _with_segments(wanted: Sequence[Operation | Retrieval], results: list[Any]) -> list[Any]:
    """Decide the segments of all users of the results: a statement for each workspace that has any."""
    shown = [_users_of(result) for result in results]
    waiting: dict[int, list[UserRow]] = {}
    for one, rows in zip(wanted, shown, strict=True):
        if rows and rows[0].rules is not None:
            waiting.setdefault(one.workspace, []).extend(rows)
    if not waiting:
        return results
    decided = {workspace: iter(membership.shown(workspace, rows)) for workspace, rows in waiting.items()}
    return [
        _showing(result, [next(decided[one.workspace]) for _ in rows]) if rows and rows[0].rules is not None else result
        for one, rows, result in zip(wanted, shown, results, strict=True)
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
