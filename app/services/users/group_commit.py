"""Group commit: concurrent requests share one round trip for their reads, and one transaction for their writes.

A write is acknowledged when the shared transaction is on disk. The requests of a kind become columns of one statement,
of the routes (writing.py, app/services/events.py) or of the same rules.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from app import clock, errors
from app.domain import cursors, ids
from app.models import events as events_store
from app.models import users as users_store
from app.models.database import Call, commit_all, db, reading, run_all, statement
from app.models.events import Recording
from app.models.keyset import of_workspace
from app.models.users import rendering
from app.services import events
from app.services.segments import membership
from app.services.users import UserRow
from app.services.users.pipelining import Rows, Run, Steps, run_groups


class Retrieval(NamedTuple):
    """Find a user: the user object as JSON, or a UserRow where the database cannot render it; None if there is none."""

    workspace: int
    uid: str


class Listing(NamedTuple):
    """Users to be found in the order of their ids: a Page of UserRows, or of JSON as of a Retrieval.

    The JSON is that of each, or one text of all with commas between. after: the id of the last user before the page, ""
    for the first one.
    """

    workspace: int
    limit: int
    after: str


class Upsert(NamedTuple):
    """A user to be made, or changed, with the secret: an Upserted.

    fields: at least one, of those that are columns of the user. As `users.update`, but for uids that would go to a
    user who has none: where there is one with that email or number, nothing is done, and the answer is None. It is so,
    too, where there would be too many meta keys.
    """

    workspace: int
    uid: str
    fields: dict[str, Any]


class Append(NamedTuple):
    """An event to be recorded: an Appended. fields: as `events.record` takes them, without an id.

    The answer is None, and nothing is done, where the user is archived or was erased: the route tells which.
    """

    workspace: int
    uid: str
    fields: dict[str, Any]


class Upserted(NamedTuple):
    """A user after the upsert, and whether it made the user. The user: as of a Retrieval."""

    user: str | UserRow
    created: bool


class Appended(NamedTuple):
    """An event that was recorded. rules: the version of the workspace's segments, None where there are none."""

    rules: str | None


Read = Retrieval | Listing
Write = Upsert | Append
READS = (Retrieval, Listing)
_RETRIES = 3  # after a conflict, with locks


def look(wanted: Sequence[Read]) -> list[Any]:
    """Do what only reads; return the results. Raises errors.StorageUnavailable; errors.NotDone for a fault of ours."""
    try:
        return _with_segments(wanted, _look(wanted))
    except errors.Failure:
        raise
    except Exception as error:
        raise errors.NotDone() from error


@statement
def _look(wanted: Sequence[Read]) -> list[Any]:
    uids: dict[int, list[str]] = {}
    starts: dict[tuple[int, int], list[str]] = {}
    for one in wanted:
        if isinstance(one, Retrieval):
            uids.setdefault(one.workspace, []).append(one.uid)
        else:
            starts.setdefault((one.workspace, one.limit), []).append(one.after)
    groups = [_retrieve(*group) for group in uids.items()] + [
        _list(*group, several) for group, several in starts.items()
    ]
    # Only pages need several statements to see one state; of users read by hand who is gone by then is nobody.
    with reading() if starts else contextlib.nullcontext():
        found = run_groups(groups, run_all)
    return [found.get(one) for one in wanted]


def _retrieve(workspace: int, uids: Sequence[str]) -> Steps:
    [rows] = yield [rendering.find_call(workspace, uids)]
    found: dict[Any, Any] = {(workspace, uid): json for uid, json, _ in rows}  # by the Retrieval
    by_hand = [uid for uid, _, is_by_hand in rows if is_by_hand]
    return (found | (yield from _retrieve_by_hand(workspace, by_hand))) if by_hand else found


def _retrieve_by_hand(workspace: int, uids: Sequence[str]) -> Steps:
    """Return the users that the database did not render."""
    [rows] = yield [users_store.find_call(workspace, uids)]
    found: dict[Any, Any] = dict.fromkeys([(workspace, uid) for uid in uids])  # who is gone by now is nobody
    for user in map(users_store.row, rows):
        found[workspace, user.uid] = user
    return found


def _list(workspace: int, limit: int, starts: Sequence[str]) -> Steps:
    pages = rendering.pages_of((yield rendering.page_calls(workspace, limit, starts)), limit, starts)
    asked = {}
    for after, page in zip(starts, pages, strict=True):
        if page is not None and page.is_by_hand:
            asked[after] = users_store.page_call(limit + 1, [of_workspace(workspace)], after or None)
        elif page is not None and page.beside is None:
            asked[after] = rendering.beside_call(workspace, page.first, page.last)
    more = dict(zip(asked, (yield list(asked.values())) if asked else (), strict=True))
    return {
        Listing(workspace, limit, after): _page(page, more.get(after, []), limit)
        for after, page in zip(starts, pages, strict=True)
    }


def _page(page: rendering.RenderedPage | None, more: Rows, limit: int) -> cursors.Page:
    if page is None:
        return cursors.Page([])
    if page.is_by_hand:
        rows = [users_store.row(values[1:]) for values in more]
        return cursors.page(rows, bool(more and more[0][0]), limit, backwards=False)
    users = page.complete(more if page.beside is None else page.beside)
    return cursors.Page(users, page.last if page.has_next else None, page.first if page.has_previous else None)


def write(wanted: Sequence[Write]) -> list[Upserted | Appended | None]:
    """Do what writes, in one transaction, all or none; return the results when it is on disk.

    Raises errors.NotDone; errors.StorageUnavailable, errors.InternalError and anything else mean that nobody may do
    them again, for they may be done.
    """
    try:
        return _write(wanted, is_careful=False)
    except errors.Contended:
        return _write(wanted, is_careful=True)


def _write(wanted: Sequence[Write], is_careful: bool) -> list[Upserted | Appended | None]:
    """is_careful: lock the users and look for erased uids first, and try again after a conflict."""
    is_begun = is_done = False

    def commit(calls: Sequence[Call]) -> list[Rows]:
        nonlocal is_begun, is_done
        is_begun = True
        rows = _commit(wanted, calls, is_careful)
        is_done = True
        return rows

    try:
        return _written(wanted, commit, is_careful)
    except (errors.Failure, errors.NotDone):
        raise
    except Exception as error:
        if is_done:
            raise errors.InternalError() from error
        if not is_begun:
            raise errors.NotDone() from error
        raise


def _written(wanted: Sequence[Write], commit: Run, is_careful: bool) -> list[Upserted | Appended | None]:
    now, new_ids = clock.now(), ids.several(len(wanted))
    record = events_store.calls if is_careful else events_store.optimistic_calls
    # In the order of users: of two groups that make the same ones neither can lock them before (`_locks`).
    kinds: dict[tuple[int, frozenset[str] | None], list[Any]] = {}
    for place in sorted(range(len(wanted)), key=lambda place: wanted[place].uid):
        one = wanted[place]
        if isinstance(one, Append):
            kinds.setdefault((one.workspace, None), []).append(place)
        else:
            _take_turn(kinds.setdefault((one.workspace, frozenset(one.fields)), []), one.uid, place)
    groups = []
    for (_, fields), several in kinds.items():
        if fields is None:
            groups.append(_append(wanted, several, new_ids, now, record))
        else:
            groups += [_upsert(wanted, turn, new_ids, now) for turn in several]
    found = run_groups(groups, commit)
    results = [found.get(place) for place in range(len(wanted))]
    _mark(wanted, results)
    return _with_segments(wanted, results)


def _take_turn(turns: list[dict[str, int]], uid: str, place: int) -> None:
    """Put a write into the first turn without a write to that user: a statement takes each user only once."""
    for turn in turns:
        if uid not in turn:
            turn[uid] = place
            return
    turns.append({uid: place})


def _upsert(wanted: Sequence[Write], places: Mapping[str, int], new_ids: Sequence[str], now: int) -> Steps:
    """Ask once, for the writes are one transaction.

    places: of each uid, which of the wanted. All are of one workspace, and have the same fields.
    """
    chosen = [wanted[place] for place in places.values()]
    ids = [new_ids[place] for place in places.values()]
    bodies = [one.fields for one in chosen]
    [rows] = yield [users_store.upsert_call(chosen[0].workspace, ids, list(places), bodies, now)]
    found = {}
    for id, uid, text in rows:
        place = places[uid]
        found[place] = Upserted(rendering.saved_user(text), id == new_ids[place])
    return found


def _append(
    wanted: Sequence[Write],
    places: Sequence[int],
    new_ids: Sequence[str],
    now: int,
    record: Callable[[int, int, Sequence[Recording]], list[Call]],
) -> Steps:
    """Ask once, as `_upsert`. All are of one workspace."""
    chosen = [wanted[place] for place in places]
    rows = events.new_rows(now, [one.fields for one in chosen])
    recordings = [Recording(one.uid, new_ids[place], row) for one, place, row in zip(chosen, places, rows, strict=True)]
    answers = yield record(chosen[0].workspace, now, recordings)
    recorded = events_store.recorded_in(answers)
    appended = Appended(recorded.rules)
    if recorded.uids is None:
        return dict.fromkeys(places, appended)
    return {place: appended for one, place in zip(chosen, places, strict=True) if one.uid in recorded.uids}


def _commit(wanted: Sequence[Write], calls: Sequence[Call], is_careful: bool) -> list[Rows]:
    locks = _locks(wanted) if is_careful or len(calls) > 1 else []
    return commit_all([*locks, *calls], retries=_RETRIES if is_careful else 0)[len(locks) :]


def _locks(wanted: Sequence[Write]) -> list[Call]:
    """The calls that take the users in the order of their uids, where statements for many would take them in turns.

    Of those who are made only now none is locked before. As the kinds of writes come in the order of their first users,
    two groups rarely block each other so; Postgres finds it, which takes it a second, and one is done again.
    """
    if not db.dialect.takes_arrays:
        return []
    uids: dict[int, list[str]] = {}
    for one in wanted:
        uids.setdefault(one.workspace, []).append(one.uid)
    return [users_store.lock_call(workspace, uids[workspace]) for workspace in sorted(uids)]


def _mark(wanted: Sequence[Write], results: Sequence[Upserted | Appended | None]) -> None:
    """Queue changed users for segment re-evaluation, where the rows say that there are segments."""
    marked: dict[int, list[str]] = {}
    for one, result in zip(wanted, results, strict=True):
        written = result.user if isinstance(result, Upserted) else result
        if isinstance(written, (UserRow, Appended)) and written.rules is not None:
            marked.setdefault(one.workspace, []).append(one.uid)
    for workspace, uids in marked.items():
        with contextlib.suppress(errors.StorageUnavailable):  # they are written; the sweep of everybody finds them
            membership.mark(workspace, *uids)


def _with_segments(wanted: Sequence[Read | Write], results: list[Any]) -> list[Any]:
    """Decide the segments of all users of the results: a statement for each workspace that has any."""
    waiting: dict[int, list[UserRow]] = {}
    for one, result in zip(wanted, results, strict=True):
        if result.__class__ is not str and (rows := _undecided(result)):
            waiting.setdefault(one.workspace, []).extend(rows)
    if not waiting:
        return results
    decided = {workspace: iter(membership.shown(workspace, rows)) for workspace, rows in waiting.items()}
    return [_showing(result, decided.get(one.workspace)) for one, result in zip(wanted, results, strict=True)]


def _undecided(result: Any) -> list[UserRow]:
    """The rows of a result if it is not decided yet which segments they are in: of all or of none."""
    shown = result.user if isinstance(result, Upserted) else result
    rows: list[Any] = shown.rows if isinstance(shown, cursors.Page) else [shown]
    return rows if rows and isinstance(rows[0], UserRow) and rows[0].rules is not None else []


def _showing(result: Any, decided: Iterator[UserRow] | None) -> Any:
    """Return the result with what was decided in place of its rows that were undecided."""
    if decided is None or not (rows := _undecided(result)):
        return result
    shown = [next(decided) for _ in rows]
    if isinstance(result, cursors.Page):
        return result._replace(rows=shown)
    return result._replace(user=shown[0]) if isinstance(result, Upserted) else shown[0]
