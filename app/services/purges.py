"""Purges: deleted data leaves the disk too (docs/erasure.md)."""

from datetime import UTC, datetime, timedelta

from app import clock, logs
from app.models import erasures, jobs, locks, purging
from app.services import retries, workspaces

_JOB = "purge"


def purge() -> list[str]:
    """Remove the bytes of all that was deleted, and replies past their time; return what could not be done.

    Waits for another process that is at it. Raises errors.StorageUnavailable.
    """
    with locks.wait_for(locks.WORKING):
        return _purge()


def purge_when_due(hour: int) -> bool:
    """Purge once a day if users were erased since the last purge; return True if this process did it now.

    hour: of the day in UTC, 0 to 23; when the service did not run then, it is done later. A day without erasures costs
    a query a minute. Raises errors.StorageUnavailable.
    """
    if not _is_due(hour):
        return False
    with locks.claim(locks.WORKING) as is_ours:
        if not is_ours or not _is_due(hour):
            return False
        undone = _purge()
    logs.event("purged", undone=len(undone))
    for sentence in undone:
        logs.warning("purge_incomplete", hint=sentence)
    return True


def _purge() -> list[str]:
    began = clock.now()
    for owner in workspaces.everything():
        retries.forget_old(owner.id)
    undone = purging.purge()
    jobs.note_run(_JOB, began)
    return undone


def _is_due(hour: int) -> bool:
    last = jobs.last_run(_JOB) or 1
    return last < _latest(hour) and any(erasures.latest(owner.id) >= last for owner in workspaces.everything())


def _latest(hour: int) -> int:
    """The last time that it was this hour, in epoch milliseconds."""
    now = datetime.fromtimestamp(clock.now() / 1000, UTC)
    today = now.replace(hour=hour, minute=0, second=0, microsecond=0)
    return int((today if today <= now else today - timedelta(days=1)).timestamp() * 1000)
