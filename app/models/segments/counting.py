"""Count the users of a segment: exactly while it is cheap, else from a sample of every 256th user."""

from typing import NamedTuple

from app.models.database import Statement, db
from app.models.keyset import Filter

# Milliseconds to count in. On SQLite one thread of a worker reads for long; on Postgres there are several.
_PATIENCE = {"sqlite": 250, "postgres": 2_000}
_ONE_IN = 256
_SAMPLE = "7f"  # the last two digits of an id are chance, or count: 256 of them are alike


class Count(NamedTuple):
    """How many there are. exact: whether they were counted, and not told from a sample."""

    users: int
    exact: bool


def count(workspace: int, members: Filter) -> Count:
    """Return how many users of the workspace pass the filter."""
    text = f"SELECT count(*) FROM users WHERE {_WALK} AND {_shown(members)}"
    rows = db.obj.run_within(Statement(text).text, (workspace, *members.values), _PATIENCE[db.dialect.name])
    return _estimate(workspace, members) if rows is None else Count(int(rows[0][0]), exact=True)


# The ids are named so that SQLite walks the table: it would take the index of uids, and look up each row from there.
_WALK = "users.workspace_id = ? AND users.id >= ''"
_SAMPLES = {
    "sqlite": "substr(users.id, 23) = ?",  # in the same walk
    # A query of its own: it reads an index, and not all rows.
    "postgres": (
        "users.id IN (SELECT sample.id FROM users AS sample "
        "WHERE sample.workspace_id = users.workspace_id AND substr(sample.id, 23) = ?)"
    ),
}


def _estimate(workspace: int, members: Filter) -> Count:
    text = f"SELECT count(*) FROM users WHERE {_WALK} AND {_SAMPLES[db.dialect.name]} AND {_shown(members)}"
    rows = Statement(text)(workspace, _SAMPLE, *members.values)
    return Count(int(rows[0][0]) * _ONE_IN, exact=False)


def _shown(members: Filter) -> str:
    """The condition, without those who wait to be erased."""
    return f"users.hidden_at IS NULL AND {members.condition.replace('{row}', 'users')}"
