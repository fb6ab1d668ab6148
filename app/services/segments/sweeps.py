"""Sweeps: find who entered or left a segment by evaluating all users from time to time.

Nothing that is answered about segments comes from here but their changes. Users who were written are looked at at the
next tick, everybody once in an interval: so exits that only the clock brings are found too.
"""

import time
from typing import NamedTuple

from app import clock
from app.domain import cursors, ids, rules
from app.domain.cursors import Page
from app.models import locks
from app.models import segments as store
from app.models.database import statement, transaction
from app.models.keyset import of_workspace
from app.models.segments import ChangeRow, State
from app.services import workspaces
from app.services.segments import definitions

__all__ = ["ChangeRow", "changes", "found_at", "sweep"]

_PORTION = 500  # users looked at in one statement, and written about in one transaction: 20 ms
_SLICE = 1.0  # seconds of work, after which the other jobs have their turn
_KEPT = 90 * 86_400_000  # milliseconds that changes are kept


class _Walk(NamedTuple):
    """A sweep that is under way: with which rules it began, when, and which user was the last. Lives in one process."""

    version: str
    began: int
    last: str


_walks: dict[int, _Walk] = {}


def sweep(interval: int) -> int:
    """Look at users for a second at most, those who were written first; return how many were looked at.

    interval: seconds from the end of a sweep of everybody to the next; where a rule changed it begins at once. One
    process does it, however many call. Raises errors.StorageUnavailable.
    """
    waiting = [(workspace, found) for workspace, found in _states() if _is_due(workspace, found, interval)]
    if not waiting:
        return 0
    with locks.claim(locks.SWEEPING) as is_ours:
        return _work(waiting, time.monotonic() + _SLICE) if is_ours else 0


@statement
def _states() -> list[tuple[int, State]]:
    found = [(owner.id, store.state(owner.id)) for owner in workspaces.everything()]
    return [(workspace, one) for workspace, one in found if one is not None]


def _is_due(workspace: int, found: State, interval: int) -> bool:
    if found.has_marks or workspace in _walks or found.swept != found.version:
        return True
    return found.swept_at is None or found.swept_at + interval * 1000 <= clock.now()


def _work(waiting: list[tuple[int, State]], deadline: float) -> int:
    count = 0
    for workspace, found in waiting:
        while time.monotonic() < deadline:
            marked = _take(workspace)
            if not marked:
                break
            count += _look(workspace, found.version, marked)
        count += _walk(workspace, found, deadline)
    return count


@transaction
def _take(workspace: int) -> list[str]:
    return store.take_marked(workspace, _PORTION)


def _walk(workspace: int, found: State, deadline: float) -> int:
    """Go on with the sweep of everybody, or begin one."""
    walk = _walks.get(workspace)
    if walk is None or walk.version != found.version:
        walk = _Walk(found.version, clock.now(), "")
    count = 0
    while time.monotonic() < deadline:
        some = _next(workspace, walk.last)
        if not some:
            _end(workspace, walk)
            _walks.pop(workspace, None)
            return count
        count += _look(workspace, walk.version, some)
        walk = _walks[workspace] = walk._replace(last=some[-1])
    return count


@statement
def _next(workspace: int, last: str) -> list[str]:
    return store.next_users(workspace, last, _PORTION)


@transaction
def _end(workspace: int, walk: _Walk) -> None:
    store.note_swept(workspace, walk.version, clock.now())
    store.forget_changes(workspace, clock.now() - _KEPT)


def _look(workspace: int, version: str, user_ids: list[str]) -> int:
    """Bring what is known of these users up to now; return how many they are."""
    entered, left = _compare(workspace, version, user_ids)
    if entered or left:
        _move(workspace, version, entered, left)
    return len(user_ids)


@statement
def _compare(workspace: int, version: str, user_ids: list[str]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    shown = store.decide(workspace, version, user_ids, clock.now())
    found = {id: [one["id"] for one in some if one["id"] != rules.EVERYBODY] for id, some in shown.items()}
    return store.moves_of(found, store.known_members(workspace, user_ids))


@transaction
def _move(workspace: int, version: str, entered: list[tuple[str, str]], left: list[tuple[str, str]]) -> None:
    """What changed since it was compared is found at the next turn: a write has left a mark, a rule a new version."""
    if store.lock_version(workspace) != version:
        return
    there = store.lock_users(workspace, sorted({id for id, _ in entered + left}))
    store.move(workspace, *([pair for pair in pairs if pair[0] in there] for pairs in (entered, left)))


@statement
def changes(workspace: int, id: str, limit: int, after: str | None, before: str | None) -> Page:
    """Return who entered and left the segment as ChangeRows, in the order in which that was found; see `users.page`.

    Raises errors.SegmentNotFound.
    """
    definitions.retrieve(workspace, id)
    filters, backwards = [of_workspace(workspace), store.of_segment(id)], before is not None
    found, behind = store.changes(limit + 1, filters, before or after, descending=backwards)
    return cursors.page(found, behind, limit, backwards)


def found_at(change: ChangeRow) -> int:
    """Return when the change was found, in epoch milliseconds."""
    return ids.made_at(change.id)
