"""Time marks in the database, for machines whose clock is set back or ahead.

`clock`: the latest moment that the worker has seen; with the newest user it keeps ids from going back. `replies`:
before which replies kept for an Idempotency-Key are forgotten. Both in epoch milliseconds.
"""

from app import clock, logs
from app.domain import ids
from app.models import jobs, replies, users
from app.models.database import statement, transaction
from app.services import workspaces

_CLOCK = "clock"
_KEPT = 24 * 3_600_000  # milliseconds that a reply is kept (engage.md section 1)
_FASTEST = 2  # times the monotonic clock: a wall clock that jumps ahead forgets no key at once
_AHEAD = 5 * 60_000  # milliseconds that another machine's clock may be ahead of ours without a word


def keep_ids_ahead() -> None:
    """See that no id made from here on is less than one made before, whatever the clock says. Call at the start.

    Raises errors.StorageUnavailable.
    """
    latest = _latest()
    if latest > clock.now() + _AHEAD:
        logs.warning("clock_behind", hint="The clock of this machine was set back, or was ahead before: see to it.")
    ids.not_before(latest)


@statement
def _latest() -> int:
    newest = [id for one in workspaces.everything() if (id := users.newest_id(one.id))]
    return max(jobs.last_run(_CLOCK) or 0, *map(ids.made_at, newest), 0)


@transaction
def move(elapsed: int) -> None:
    """Move both marks on. elapsed: milliseconds of the monotonic clock since this process last did so."""
    now = clock.now()
    jobs.note_run(_CLOCK, max(now, jobs.last_run(_CLOCK) or 0))
    horizon, latest = jobs.last_run(replies.HORIZON), now - _KEPT
    if horizon is None or latest > horizon:
        jobs.note_run(replies.HORIZON, latest if horizon is None else min(latest, horizon + _FASTEST * elapsed))
