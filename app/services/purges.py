"""Purging: what was deleted leaves the disk too (docs/erasure.md)."""

from datetime import UTC, datetime, timedelta

from app import clock, errors, logs
from app.models import erasures, jobs, locks, purging
from app.services import retries, workspaces

_JOB = "purge"


def purge() -> list[str]:
    """Remove the bytes of all that was deleted, and replies past their time; return what could not be done.

    Raises errors.Conflict when another process is at it, errors.StorageUnavailable.
    """
    began = clock.now()
    with locks.claim(locks.WORKING) as is_ours:
        if not is_ours:
            raise errors.Conflict("Another process is purging just now.")
        for owner in workspaces.everything():
            retries.forget_old(owner.id)
        undone = purging.purge()
        jobs.note_run(_JOB, began)
    return undone


def purge_when_due(hour: int) -> bool:
    """Purge once a day if somebody was erased since the last time; return whether it was done now.

    hour: of the day in UTC, 0 to 23; when the service did not run then, it is done later. Nobody is erased, nothing is
    locked: so a day without erasures costs one query. Raises errors.StorageUnavailable.
    """
    last = jobs.last_run(_JOB) or 1
    if last >= _latest(hour) or all(erasures.latest(owner.id) < last for owner in workspaces.everything()):
        return False
    try:
        undone = purge()
    except errors.Conflict:
        return False
    logs.event("purged", undone=len(undone))
    for sentence in undone:
        logs.warning("purge_incomplete", hint=sentence)
    return True


def _latest(hour: int) -> int:
    """The last time that it was this hour, in epoch milliseconds."""
    now = datetime.fromtimestamp(clock.now() / 1000, UTC)
    today = now.replace(hour=hour, minute=0, second=0, microsecond=0)
    return int((today if today <= now else today - timedelta(days=1)).timestamp() * 1000)
