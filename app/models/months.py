"""Monthly partitions of events on Postgres, which can be dropped whole.

Not one of these functions reads an event: they are of all workspaces. SQLite has no partitions, and so no months.
"""

import re
from datetime import UTC, datetime
from typing import NamedTuple

import peewee

from app import errors
from app.models.database import db, statement, transaction

_NAME = re.compile("events_([0-9]{4})_([0-9]{2})")
_AHEAD = 3  # months made before they begin; as long may the worker stand still
_WORTH = 10_000  # rows of a month without a partition that are worth one
_MOST = 200_000  # rows that are moved at once: about a second, in which nobody else reads or writes events
_LOCK_WAIT = 1_000  # milliseconds to wait for the tables; whoever comes after us waits as well, behind us
_TIME = 4_000  # milliseconds a statement may take; those who wait are turned away after ROLLCALL_LOCK_TIMEOUT
_MS = 1_000


class Month(NamedTuple):
    """A month of UTC. `number` counts from January as 1."""

    year: int
    number: int

    @classmethod
    def of(cls, milliseconds: int) -> "Month":
        """Return the month of a moment in epoch milliseconds."""
        moment = datetime.fromtimestamp(milliseconds // _MS, UTC)
        return cls(moment.year, moment.month)

    @property
    def start(self) -> int:
        """Its first moment in epoch milliseconds."""
        return int(datetime(self.year, self.number, 1, tzinfo=UTC).timestamp()) * _MS

    @property
    def next(self) -> "Month":
        """The month after it."""
        return Month(self.year + self.number // 12, self.number % 12 + 1)

    @property
    def table(self) -> str:
        """The name of its partition."""
        return f"events_{self.year}_{self.number:02d}"


@statement
def kept() -> list[Month]:
    """Return the months that have a partition, in order; none on SQLite. Raises errors.StorageUnavailable."""
    if db.dialect.name == "sqlite":
        return []
    children = db.execute_sql(
        "SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = 'events'::regclass"
    )
    found = (_NAME.fullmatch(name) for (name,) in children.fetchall())
    return sorted(Month(int(one[1]), int(one[2])) for one in found if one)


@statement
def missing(now: int) -> list[Month]:
    """Return the months that should have a partition and have none; none on SQLite. Raises errors.StorageUnavailable.

    They are this month and the next ones, and those of which there are enough events for one, and few enough to be
    moved at once. now: epoch milliseconds.
    """
    if db.dialect.name == "sqlite":
        return []
    wanted = [Month.of(now)]
    for _ in range(_AHEAD):
        wanted.append(wanted[-1].next)
    return sorted({*wanted, *_crowded()} - set(kept()))


def _crowded() -> list[Month]:
    rows = db.execute_sql(
        "SELECT min(timestamp) FROM events_default "
        "GROUP BY date_trunc('month', to_timestamp(floor(timestamp / 1000.0)) AT TIME ZONE 'UTC') "
        "HAVING count(*) BETWEEN %s AND %s",
        (_WORTH, _MOST),
    )
    return [Month.of(first) for (first,) in rows.fetchall()]


def add(month: Month) -> None:
    """Give a month a partition, and move the events there that came before it had one.

    Everybody who needs the events waits meanwhile: a query that was planned without the new partition would not find
    what was moved. Raises errors.StorageUnavailable when it would take too long, or when the role must not do it.
    """
    _change(
        ["LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE", "LOCK TABLE events IN ACCESS EXCLUSIVE MODE"],
        f"CREATE TABLE {month.table} (LIKE events INCLUDING DEFAULTS)",
        f"WITH moved AS (DELETE FROM events_default WHERE timestamp >= {month.start} "
        f"AND timestamp < {month.next.start} RETURNING *) INSERT INTO {month.table} SELECT * FROM moved",
        f"ALTER TABLE events ATTACH PARTITION {month.table} FOR VALUES FROM ({month.start}) TO ({month.next.start})",
    )


def drop(month: Month) -> None:
    """Drop a month with all its events. Raises errors.StorageUnavailable as `add` does."""
    _change(["LOCK TABLE users, events IN ACCESS EXCLUSIVE MODE"], f"DROP TABLE {month.table}")


def _change(locks: list[str], *changes: str) -> None:
    """Lock the users first, as everybody does, so that nobody blocks us while we block them."""
    try:
        _run([f"SET LOCAL lock_timeout = {_LOCK_WAIT}", f"SET LOCAL statement_timeout = {_TIME}", *locks, *changes])
    except peewee.ProgrammingError as error:
        reason = type(error.__cause__ or error).__name__  # such as InsufficientPrivilege
        raise errors.StorageUnavailable(f"The partitions of the events cannot be changed ({reason}).") from error


@transaction
def _run(statements: list[str]) -> None:
    for one in statements:
        db.execute_sql(one)
