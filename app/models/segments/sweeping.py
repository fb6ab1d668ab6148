"""Known membership and its changes: `entered` and `left`."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import peewee

from app.domain import ids
from app.models.database import BaseModel, Call, Statement, db, run_all
from app.models.dialects import given
from app.models.keyset import Filter, Keyset
from app.models.segments import tables

ENTERED, LEFT = "entered", "left"


class SegmentMember(BaseModel):
    """A user who was in the segment when the user was last looked at."""

    workspace_id = peewee.BigIntegerField()
    user_id = peewee.TextField()
    segment_id = peewee.TextField()

    class Meta:
        table_name = "segment_members"
        primary_key = peewee.CompositeKey("workspace_id", "user_id", "segment_id")


class SegmentChange(BaseModel):
    """A user who entered a segment or left it. The id tells when that was found."""

    workspace_id = peewee.BigIntegerField()
    id = peewee.TextField()
    segment_id = peewee.TextField()
    user_id = peewee.TextField()
    change = peewee.TextField()

    class Meta:
        table_name = "segment_changes"
        primary_key = peewee.CompositeKey("workspace_id", "id")


class SegmentMark(BaseModel):
    """A user who was written, to be looked at soon."""

    workspace_id = peewee.BigIntegerField()
    user_id = peewee.TextField()

    class Meta:
        table_name = "segment_queue"
        primary_key = peewee.CompositeKey("workspace_id", "user_id")


class SegmentSweep(BaseModel):
    """When all users of a workspace were last looked at, with which version of its rules."""

    workspace_id = peewee.BigIntegerField(primary_key=True)
    version = peewee.TextField()
    swept_at = peewee.BigIntegerField()

    class Meta:
        table_name = "segment_sweeps"


class ChangeRow(NamedTuple):
    """A change as it is stored, with the uid that the user has now."""

    id: str
    uid: str
    change: str


def _mark(column: str) -> Statement:
    # DO UPDATE and not DO NOTHING: it waits for a sweep that takes the mark away, so that this write is not missed.
    text = (
        "INSERT INTO segment_queue (workspace_id, user_id) SELECT users.workspace_id, users.id FROM users "
        f"WHERE users.workspace_id = ? AND users.{column} {{in_array}} AND users.hidden_at IS NULL "
        "AND EXISTS (SELECT 1 FROM segment_sets WHERE segment_sets.workspace_id = ?) "
        "ON CONFLICT (workspace_id, user_id) DO UPDATE SET user_id = excluded.user_id RETURNING user_id"
    )
    return Statement(lambda d: text.replace("{in_array}", d.in_array))


_FEW = 100  # names; for more it is quicker to ask first: the statement for 5,000 takes Postgres 2 ms, to do nothing
_MARK = {column: _mark(column) for column in ("id", "uid")}


def mark(workspace: int, column: str, names: Sequence[str]) -> None:
    """Queue users for segment re-evaluation, if the workspace has segments. names: values of the column, id or uid."""
    if len(names) > _FEW and tables.version(workspace) is None:
        return
    _MARK[column](workspace, db.obj.array(names), workspace)


_STATE = Statement(
    "SELECT segment_sets.version, segment_sweeps.version, segment_sweeps.swept_at, "
    "EXISTS (SELECT 1 FROM segment_queue WHERE segment_queue.workspace_id = segment_sets.workspace_id) "
    "FROM segment_sets LEFT JOIN segment_sweeps ON segment_sweeps.workspace_id = segment_sets.workspace_id "
    "WHERE segment_sets.workspace_id = ?"
)


class State(NamedTuple):
    """How far the sweeps of a workspace are. swept: the version of the last one, None before the first."""

    version: str
    swept: str | None
    swept_at: int | None
    has_marks: bool


def state(workspace: int) -> State | None:
    """Return how far the sweeps are, None where there are no segments."""
    rows = _STATE(workspace)
    return State._make(rows[0])._replace(has_marks=bool(rows[0][3])) if rows else None


def _take(d: Any) -> str:
    oldest = "SELECT user_id FROM segment_queue WHERE workspace_id = ? ORDER BY user_id LIMIT ?"
    return f"DELETE FROM segment_queue WHERE workspace_id = ? AND user_id IN ({oldest}) RETURNING user_id"


_TAKE = Statement(_take)
_NEXT = Statement("SELECT id FROM users WHERE workspace_id = ? AND id > ? AND hidden_at IS NULL ORDER BY id LIMIT ?")
_KNOWN = Statement(
    lambda d: f"SELECT user_id, segment_id FROM segment_members WHERE workspace_id = ? AND user_id {d.in_array}"
)


def take_marked(workspace: int, count: int) -> list[str]:
    """Return up to so many marked users, and take their marks away: what is written from now on is marked anew."""
    return [id for (id,) in _TAKE(workspace, workspace, count)]


def next_users(workspace: int, after: str, count: int) -> list[str]:
    """Return the ids of up to so many users beyond the one, in order."""
    return [id for (id,) in _NEXT(workspace, after, count)]


def known_members(workspace: int, user_ids: Sequence[str]) -> set[tuple[str, str]]:
    """Return (user id, segment id) of what was last known of these users."""
    return set(_KNOWN(workspace, db.obj.array(user_ids)))


_LOCK_USERS = Statement(
    lambda d: (
        f"SELECT id FROM users WHERE workspace_id = ? AND id {d.in_array} "
        f"AND hidden_at IS NULL ORDER BY id{' FOR KEY SHARE' if d.for_update else ''}"
    )
)
_LOCK_SET = Statement(
    lambda d: f"SELECT version FROM segment_sets WHERE workspace_id = ?{' FOR SHARE' if d.for_update else ''}"
)
_ENTER = Statement(
    lambda d: (
        "INSERT INTO segment_members (workspace_id, user_id, segment_id) "
        f"{given(d, 1, {'user_id': 'text', 'segment_id': 'text'}, in_order=False)} "
        "ON CONFLICT DO NOTHING RETURNING user_id, segment_id"
    )
)
_LEAVE = Statement(
    "DELETE FROM segment_members WHERE workspace_id = ? AND user_id = ? "
    "AND segment_id = ? RETURNING user_id, segment_id"
)
_NOTE = Statement(
    lambda d: (
        "INSERT INTO segment_changes (workspace_id, change, id, user_id, segment_id) "
        f"{given(d, 2, {'id': 'text', 'user_id': 'text', 'segment_id': 'text'}, in_order=False)} RETURNING id"
    )
)


_FORGET_USERS = [
    Statement(
        lambda d, table=table: (  # type: ignore[misc]
            f"DELETE FROM {table} WHERE workspace_id = ? AND user_id {d.in_array} RETURNING user_id"
        )
    )
    for table in ("segment_queue", "segment_members", "segment_changes", "segment_suppressions")
]


def forget_users(workspace: int, user_ids: Sequence[str]) -> None:
    """Forget which segments locked users, who are about to go, were in. Call in a transaction."""
    for statement in _FORGET_USERS:
        statement(workspace, db.obj.array(user_ids))


def lock_version(workspace: int) -> str | None:
    """Return the version of the rules and keep it from changing until the transaction ends."""
    rows = _LOCK_SET(workspace)
    return rows[0][0] if rows else None


def lock_users(workspace: int, user_ids: Sequence[str]) -> set[str]:
    """Return which of the users are there, and keep them from going until the transaction ends."""
    return {id for (id,) in _LOCK_USERS(workspace, db.obj.array(user_ids))}


def move(workspace: int, entered: Sequence[tuple[str, str]], left: Sequence[tuple[str, str]]) -> None:
    """Note who entered and who left: (user id, segment id) each. Call in a transaction that has locked the users."""
    if entered:
        _note(workspace, ENTERED, _run_many(_ENTER, (workspace,), entered))
    if left:
        gone = run_all([Call(_LEAVE, (workspace, *one)) for one in left])
        _note(workspace, LEFT, [row for rows in gone for row in rows])


def _note(workspace: int, change: str, pairs: Sequence[tuple[Any, ...]]) -> None:
    if pairs:
        _run_many(_NOTE, (workspace, change), [(ids.new(), *pair) for pair in sorted(pairs)])


def _run_many(statement: Statement, fixed: tuple[Any, ...], rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return run_all([Call(statement, fixed, list(zip(*rows, strict=True)))])[0]


_SWEPT = Statement(
    "INSERT INTO segment_sweeps (workspace_id, version, swept_at) VALUES (?, ?, ?) "
    "ON CONFLICT (workspace_id) DO UPDATE SET version = excluded.version, swept_at = excluded.swept_at "
    "RETURNING swept_at"
)
_FORGET = Statement("DELETE FROM segment_changes WHERE workspace_id = ? AND id < ? RETURNING id")


def note_swept(workspace: int, version: str, now: int) -> None:
    """Note that all users were looked at."""
    _SWEPT(workspace, version, now)


def forget_changes(workspace: int, before: int) -> None:
    """Forget what changed before that moment, in epoch milliseconds."""
    _FORGET(workspace, ids.first_at(before))


_CHANGES = Keyset(
    "segment_changes",
    lambda d: (
        "segment_changes.id, (SELECT uid FROM users WHERE users.workspace_id = segment_changes.workspace_id "
        "AND users.id = segment_changes.user_id), segment_changes.change"
    ),
)


def changes(
    count: int, filters: Sequence[Filter], cursor: str | None, descending: bool
) -> tuple[list[ChangeRow], bool]:
    """Return changes as Keyset says. filters: `of_workspace` and `of_segment`."""
    rows, behind = _CHANGES(count, filters, cursor, descending)
    return [ChangeRow._make(values) for values in rows], behind


def of_segment(id: str) -> Filter:
    """Return the filter of the changes of one segment."""
    return Filter("{row}.segment_id = ?", (id,))


def moves_of(found: Mapping[str, Sequence[str]], known: set[tuple[str, str]]) -> tuple[list[Any], list[Any]]:
    """Return who entered and who left what. found: user id -> the segments now; known: what was known before."""
    now = {(user_id, id) for user_id, inside in found.items() for id in inside}
    return sorted(now - known), sorted(pair for pair in known - now if pair[0] in found)
