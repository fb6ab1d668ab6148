"""Events by month on Postgres, so that a month can be dropped: range partitions, and one for whatever has no month.

The rows are copied before there are keys to check them against, and the keys are built once at the end. SQLite has no
partitions; its table stays as it is.
"""

from datetime import UTC, datetime

from app import clock

_AHEAD = 3  # months after this one
_WORTH = 10_000  # rows; a month of the past that has fewer gains nothing from a partition


def up(migrator, db):
    if db.dialect.name == "sqlite":
        return
    for statement in _convert(db.dialect):
        db.execute_sql(statement)
    for month in sorted({*_this_and_next(), *_crowded(db)}):
        db.execute_sql(_partition(month))
    for statement in _fill():
        db.execute_sql(statement)


def _convert(d):
    return [
        "ALTER TABLE events RENAME TO events_before",
        "ALTER INDEX events_pkey RENAME TO events_before_pkey",
        f"""CREATE TABLE events (
            workspace_id BIGINT NOT NULL,
            user_id {d.text_key} NOT NULL,
            timestamp BIGINT NOT NULL,
            id {d.text_key} NOT NULL,
            event TEXT NOT NULL,
            value {d.json_type},
            properties {d.json_type} NOT NULL DEFAULT '{{}}') PARTITION BY RANGE (timestamp)""",
        "CREATE TABLE events_default PARTITION OF events DEFAULT",
    ]


def _this_and_next():
    now = datetime.fromtimestamp(clock.now() / 1000, UTC)
    first = now.year * 12 + now.month - 1
    return [divmod(number, 12) for number in range(first, first + _AHEAD + 1)]


def _crowded(db):
    """Months of the past with many rows, as (year, months before it in that year)."""
    months = "to_char(to_timestamp(floor(timestamp / 1000.0)) AT TIME ZONE 'UTC', 'YYYY-MM')"
    found = db.execute_sql(
        f"SELECT {months} FROM events_before WHERE timestamp < {clock.now()} GROUP BY 1 HAVING count(*) >= {_WORTH}"
    ).fetchall()
    return [(int(text[:4]), int(text[5:]) - 1) for (text,) in found]


def _partition(month):
    number = month[0] * 12 + month[1]
    name = f"events_{month[0]}_{month[1] + 1:02d}"
    return f"CREATE TABLE {name} PARTITION OF events FOR VALUES FROM ({_start(number)}) TO ({_start(number + 1)})"


def _start(number):
    """When a month begins, counted from the year 0: epoch milliseconds."""
    return int(datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC).timestamp()) * 1000


def _fill():
    columns = "workspace_id, user_id, timestamp, id, event, value, properties"
    return [
        f"INSERT INTO events ({columns}) SELECT {columns} FROM events_before",
        "DROP TABLE events_before",
        "ALTER TABLE events ADD PRIMARY KEY (workspace_id, user_id, timestamp, id)",
        """ALTER TABLE events ADD FOREIGN KEY (workspace_id, user_id) REFERENCES users (workspace_id, id)
            ON DELETE CASCADE ON UPDATE NO ACTION""",
    ]
