"""Maintenance jobs: each is called every second and returns at once unless it is due."""

import time
from collections.abc import Callable

from app.config import Settings
from app.services import erasures, marks, purges, retention
from app.services.atomic import deletions
from app.services.segments import sweeps

_JOURNAL_PAUSE = 600.0  # seconds; what other machines erased is in our file by then
_UIDS_PAUSE = 600.0  # seconds; they count for days, and no longer whether they are there or not
_MONTHS_PAUSE = 600.0  # seconds; months are made long before they begin
_MINUTE = 60.0  # seconds
_next = {
    "marks": 0.0,
    "purge": 0.0,
    "journal": 0.0,
    "months": 0.0,
    "sweep": 0.0,
    "uids": 0.0,
}  # time.monotonic() at which to look again


def move_marks(settings: Settings) -> None:
    """Note each minute what time it is."""
    global _moved
    if _is_time("marks", _MINUTE):
        now = time.monotonic()
        marks.move(round((now - _moved) * 1000))
        _moved = now


_moved = time.monotonic()


def purge(settings: Settings) -> None:
    """Purge once a day."""
    if settings.purge_hour >= 0 and _is_time("purge", _MINUTE):
        purges.purge_when_due(settings.purge_hour)


def catch_up(settings: Settings) -> None:
    """Keep the file of the journal of erasures complete."""
    if _is_time("journal", _JOURNAL_PAUSE):
        erasures.catch_up()


def forget_uids(settings: Settings) -> None:
    """Forget the uids that were erased long enough ago."""
    if _is_time("uids", _UIDS_PAUSE):
        erasures.forget_uids()


def make_months(settings: Settings) -> None:
    """Have the partitions of the next months ready."""
    if _is_time("months", _MONTHS_PAUSE):
        retention.make_months()


def sweep(settings: Settings) -> None:
    """Delete events past their time once an hour."""
    if settings.event_retention_days and _is_time("sweep", _MINUTE):
        retention.sweep_when_due(settings.event_retention_days)


def sweep_segments(settings: Settings) -> None:
    """Find who entered and left which segment, a second's worth at a time."""
    sweeps.sweep(settings.segment_sweep)


def erase(settings: Settings) -> bool:
    """Erase those whose deletion is due; tells whether there may be more."""
    return deletions.erase_due()


def _is_time(name: str, pause: float) -> bool:
    now = time.monotonic()
    is_time = now >= _next[name]
    if is_time:
        _next[name] = now + pause
    return is_time


JOBS: tuple[Callable[[Settings], bool | None], ...] = (
    move_marks,
    purge,
    catch_up,
    forget_uids,
    make_months,
    sweep,
    sweep_segments,
    erase,
)
