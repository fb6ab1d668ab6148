"""Filling a database with people and events in its own SQL, a million of them in a minute; both databases the same."""

import time
from collections.abc import Iterator

from app.config import Settings
from app.models import months
from app.models.database import db, forget_connection, open_database
from app.models.months import Month

_CHUNK = 50_000  # people in one transaction
_SPREAD = 90 * 86_400_000  # milliseconds over which the events of a person lie
_HEX = {"sqlite": "printf('%012x', {})", "postgres": "lpad(to_hex(({})::bigint), 12, '0')"}
_COUNT = {  # numbers from one to another, as NAME.n
    "sqlite": "(WITH RECURSIVE i (n) AS (SELECT {1} UNION ALL SELECT n + 1 FROM i WHERE n < {2}) SELECT n FROM i) "
    "AS {0}",
    "postgres": "generate_series({1}, {2}) AS {0} (n)",
}
_JSON = {"sqlite": "", "postgres": "::jsonb"}


def fill(url: str, users: int, events: int) -> None:
    """Add so many people, numbered from 1 as benchmarks/people.py has them, each with so many events, oldest first.

    The database is migrated, and has one workspace and nobody in it.
    """
    open_database(Settings(database_url=url, statement_timeout=600_000))
    now = int(time.time() * 1000)
    try:
        _make_months(now)
        for first in range(1, users + 1, _CHUNK):
            _run(_statements(first, min(first + _CHUNK - 1, users), events, now))
        _settle()
    finally:
        forget_connection()


def _make_months(now: int) -> None:
    """The past ones, which are not made before there are events."""
    if db.dialect.name == "sqlite":
        return
    month, there = Month.of(now - _SPREAD), months.kept()
    while month not in there:
        months.add(month)
        month = month.next


def _statements(first: int, last: int, events: int, now: int) -> Iterator[str]:
    name, json = db.dialect.name, _JSON[db.dialect.name]
    several = _COUNT[name].format("c", first, last)
    id = " || ".join(_HEX[name].format(one) for one in (f"{now - _SPREAD} + c.n / 1000", "c.n"))
    workspace = "(SELECT min(id) FROM workspaces)"
    meta = '\'{"plan":"gold","age":\' || (18 + c.n - c.n / 72 * 72) || \',"city":"Lagos"}\''
    number = "'23480' || substr('00000000' || c.n, -8)" if name == "sqlite" else "'23480' || lpad(c.n::text, 8, '0')"
    email = "'u' || c.n || '@example.com'"
    yield (
        "INSERT INTO users (workspace_id, id, uid, first_name, last_name, number, number_digits, email, email_key, "
        f"meta, created_at, last_interaction) SELECT {workspace}, {id}, 'u' || c.n, 'Ada', 'Lovelace', "
        f"'+' || {number}, {number}, {email}, {email}, ({meta}){json}, {now - _SPREAD}, {now} FROM {several}"
    )
    if events:
        at = f"({now - _SPREAD} + e.n * CAST({_SPREAD // events} AS BIGINT))"
        marked = " || ".join(_HEX[name].format(one) for one in (at, "c.n"))
        each = _COUNT[name].format("e", 1, events)
        yield (
            "INSERT INTO events (workspace_id, user_id, timestamp, id, event, value, properties) "
            f"SELECT {workspace}, {id}, {at}, {marked}, 'Paid', '49.5'{json}, '{{\"currency\":\"USD\"}}'{json} "
            f"FROM {several} CROSS JOIN {each} ORDER BY c.n, e.n"
        )


def _run(statements: Iterator[str]) -> None:
    with db.atomic():
        if db.dialect.name == "postgres":
            db.execute_sql("SET LOCAL session_replication_role = replica")  # looks up no user for each event
        for one in statements:
            db.execute_sql(one).fetchall() if db.dialect.name == "sqlite" else db.execute_sql(one)


def _settle() -> None:
    if db.dialect.name == "sqlite":
        db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    else:
        db.execute_sql("VACUUM ANALYZE")
        db.execute_sql("CHECKPOINT")
