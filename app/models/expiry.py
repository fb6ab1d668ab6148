"""Delete expired events, a few thousand rows at a time."""

from typing import NamedTuple

from app.models.database import Statement, statement, transaction
from app.models.dialects import Dialect

_USERS = 1_000  # looked at in one statement
_ROWS = 2_000  # deleted in one transaction: some 10 ms on SQLite, where all writers wait

Key = tuple[str, int, str]  # user_id, timestamp, id


class Step(NamedTuple):
    """Where a sweep has come to. after: the last user who is done, None when all are. deleted: events."""

    after: str | None
    deleted: int


def _expired(d: Dialect) -> str:
    """The events of these users before a time, by index: (workspace, before, workspace, after, last)."""
    return (
        "FROM events WHERE workspace_id = ? AND timestamp < ? AND user_id IN "
        "(SELECT id FROM users WHERE workspace_id = ? AND id > ? AND id <= ?)"
    )


_LAST_OF_NEXT = Statement(
    "SELECT max(id) FROM (SELECT id FROM users WHERE workspace_id = ? AND id > ? ORDER BY id LIMIT ?) AS next"
)
_FIND = Statement(lambda d: f"SELECT user_id, timestamp, id {_expired(d)} ORDER BY user_id, timestamp, id LIMIT ?")
_DELETE = Statement(lambda d: f"DELETE {_expired(d)} AND (user_id, timestamp, id) <= (?, ?, ?) RETURNING id")


def sweep(workspace: int, after: str, before: int) -> Step:
    """Delete events older than a moment of the users who come after one; return how far that went.

    after: internal id, "" for the first. before: epoch milliseconds. Takes no lock where there is nothing to delete.
    Raises errors.StorageUnavailable.
    """
    last, keys = _look(workspace, after, before)
    if last is None:
        return Step(None, 0)
    deleted = _delete(workspace, after, before, last, keys[-1]) if keys else 0
    return Step(after if len(keys) == _ROWS else last, deleted)


@statement
def _look(workspace: int, after: str, before: int) -> tuple[str | None, list[Key]]:
    last = _LAST_OF_NEXT(workspace, after, _USERS)[0][0]
    return last, _FIND(workspace, before, workspace, after, last, _ROWS) if last else []


@transaction
def _delete(workspace: int, after: str, before: int, last: str, until: Key) -> int:
    return len(_DELETE(workspace, before, workspace, after, last, *until))
