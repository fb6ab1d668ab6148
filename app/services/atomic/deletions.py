"""Deletions: users are hidden at once and erased by a worker (atomic.md section 3).

A job is written in the transaction that hides its user. A worker claims it by moving its next time on, in a transaction
of its own, and does it in a second one: so one that dies on the way has lost nothing, the job is due again after a
while. The job is safe to repeat.
"""

from collections.abc import Collection, Iterator

from app import clock, errors, logs
from app.domain import cursors, ids
from app.domain.actions import Action
from app.domain.cursors import Page
from app.models import accounts, devices, jobs, lists, replies, segments, users
from app.models import deletions as store
from app.models import erasures as erasures_store
from app.models.database import statement, transaction
from app.models.deletions import STATES, Claimed, DeletionRow
from app.models.erasures.journal import Entry
from app.models.keyset import of_workspace
from app.services import audit, erasures
from app.services.audit import Caller

__all__ = ["STATES", "DeletionRow", "erase_due", "page", "request", "retry"]

MAX_ATTEMPTS = 10  # with the pauses between them about three hours
_FIRST_PAUSE, _LONGEST_PAUSE = 10_000, 3_600_000  # milliseconds until an attempt counts as lost; doubled each time
_CLAIMED = 50  # jobs at once: few enough to be done long before the first of these pauses is over
_TURN = 2_000  # milliseconds of work until the worker looks whether it shall stop


@transaction
def request(workspace: int, uids: Collection[str], delay: int, caller: Caller) -> None:
    """Hide the users of these uids from every read, and have them erased when the delay is over.

    Unknown ones are passed over; asking again is safe. From now on a user of the same uid is somebody new.
    delay: milliseconds. Raises errors.StorageUnavailable.
    """
    locked = users.lock_all(workspace, set(uids), with_accounts=True)
    if not locked:
        return
    now, user_ids = clock.now(), list(locked.values())
    replies.erase(workspace, [*locked, *user_ids, *erasures_store.merged_into(workspace, user_ids)])
    accounts.leave_all(workspace, user_ids)
    lists.leave_all(workspace, user_ids)
    devices.forget_all(workspace, user_ids)
    segments.forget_users(workspace, user_ids)
    users.hide(workspace, user_ids, now)
    erasures.note_uids(workspace, locked)
    audit.record_all(workspace, caller, Action.USER_DELETED, user_ids)
    store.add_all(workspace, [(ids.new(), user_id) for user_id in user_ids], now, now + delay)


@statement
def page(workspace: int, limit: int, cursor: str | None = None, state: str | None = None) -> Page:
    """Return deletions as DeletionRows, newest first: those older than the cursor. state: one of STATES, or any."""
    wanted = [of_workspace(workspace)] + ([store.by_state(state)] if state else [])
    found, behind = store.page(limit + 1, wanted, cursor)
    return cursors.page(found, behind, limit, backwards=False)


@transaction
def retry(workspace: int) -> int:
    """Have all deletions that were given up tried again; return how many."""
    return store.retry(workspace, clock.now())


def erase_due() -> bool:
    """Erase who is due, in any number of processes at once; return whether there may be more by now.

    An attempt that fails is made again after a pause that doubles each time, MAX_ATTEMPTS times in all; then the
    deletion is marked as failed and the log says so. Raises errors.StorageUnavailable.
    """
    end = clock.now() + _TURN
    for workspace in jobs.workspaces_to_erase_in(clock.now()):
        _give_up(workspace)
        while claimed := _claim(workspace):
            erasures.write_down(list(_erase_all(workspace, claimed)))
            if clock.now() >= end:
                return True
    return False


@transaction
def _claim(workspace: int) -> list[Claimed]:
    now = clock.now()
    due = store.due(workspace, now, _CLAIMED)
    store.postpone(workspace, [(one.id, now + _pause(one.attempts)) for one in due])
    return due


def _pause(attempts: int) -> int:
    return min(_FIRST_PAUSE << min(attempts, MAX_ATTEMPTS), _LONGEST_PAUSE)


def _erase_all(workspace: int, claimed: list[Claimed]) -> Iterator[Entry]:
    for one in claimed:
        try:
            yield from _erase(workspace, one)
        except errors.StorageUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - one that fails must not keep the others; it is tried again
            logs.fault(error, request_id="", method="", route="erasure", deletion=one.id, attempts=one.attempts + 1)


@transaction
def _erase(workspace: int, one: Claimed) -> list[Entry]:
    if not store.finish(workspace, one.id, clock.now()):
        return []
    users.lock_id(workspace, one.user_id)
    return erasures.erase(workspace, one.user_id, users.hidden_uid(one.user_id))


@transaction
def _give_up(workspace: int) -> None:
    for id in store.give_up(workspace, clock.now(), MAX_ATTEMPTS):
        logs.warning("erasure_failed", deletion=id, hint="`rollcall deletions retry` tries it again")
