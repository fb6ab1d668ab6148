"""Event retention, by month (docs/retention.md)."""

import time
from collections.abc import Callable
from typing import NamedTuple

from app import clock, errors, logs
from app.models import expiry, jobs, locks, months
from app.models.months import Month
from app.services import workspaces

_JOB = "sweep"
_PAUSE = 3_600_000  # milliseconds from one sweep to the next
_DAY = 86_400_000  # milliseconds


class Swept(NamedTuple):
    """What a sweep did: months dropped whole, and events deleted from others."""

    months: int
    events: int


def sweep(days: int) -> Swept:
    """Delete every event whose timestamp lies more than so many days back.

    Waits for another process that is at it. Raises errors.StorageUnavailable.
    """
    with locks.wait_for(locks.WORKING):
        return _sweep(days)


def sweep_when_due(days: int) -> bool:
    """Sweep once an hour; return whether it was done now, by this process. Raises errors.StorageUnavailable."""
    if not _is_due():
        return False
    with locks.claim(locks.WORKING) as is_ours:
        if not is_ours or not _is_due():
            return False
        swept = _sweep(days)
    logs.event("swept", months=swept.months, events=swept.events)
    return True


def make_months() -> list[Month]:
    """Make the partitions that the events of the next months need, and those that past ones are worth.

    Returns the months that were made. Without them nothing is lost: the events lie in the default partition. Does
    nothing on SQLite, and while another process is at it. Raises errors.StorageUnavailable.
    """
    if not months.missing(clock.now()):
        return []
    with locks.claim(locks.WORKING) as is_ours:
        return [month for month in months.missing(clock.now()) if is_ours and _is_done(months.add, month)]


def _sweep(days: int) -> Swept:
    began = clock.now()
    before = began - days * _DAY
    expired = [month for month in months.kept() if month.next.start <= before]
    dropped = [month for month in expired if _is_done(months.drop, month)]  # else its events are deleted below
    deleted = sum(_delete(owner.id, before) for owner in workspaces.everything())
    jobs.note_run(_JOB, began)
    return Swept(len(dropped), deleted)


def _delete(workspace: int, before: int) -> int:
    after: str | None = ""
    deleted = 0
    while after is not None:
        began = time.monotonic()
        after, some = expiry.sweep(workspace, after, before)
        deleted += some
        if some:
            time.sleep(time.monotonic() - began)  # half of the time is for those who write
    return deleted


def _is_due() -> bool:
    return (jobs.last_run(_JOB) or 0) + _PAUSE <= clock.now()


def _is_done(change: Callable[[Month], None], month: Month) -> bool:
    """Whether a month could be changed; one that could not is left for the next time, and holds up no other."""
    try:
        change(month)
    except errors.StorageUnavailable as error:
        logs.warning("month_failed", month=month.table, hint=str(error))
        return False
    return True
