"""The erasure journal as a table, and the users that were merged into others."""

from collections.abc import Iterable, Iterator, Sequence

import peewee

from app.models.database import BaseModel, Call, Statement, db, run_all
from app.models.erasures.journal import Entry


class Erasure(BaseModel):
    """A user who was erased: the keyed hash of the internal id, which nobody has again. Time in epoch milliseconds."""

    workspace_id = peewee.BigIntegerField()
    user_hash = peewee.TextField()
    erased_at = peewee.BigIntegerField()

    class Meta:
        table_name = "erasures"
        primary_key = peewee.CompositeKey("workspace_id", "user_hash")


class MergedUser(BaseModel):
    """A user who lives on in another: both are internal ids. Goes with the survivor."""

    workspace_id = peewee.BigIntegerField()
    user_id = peewee.TextField()
    merged_id = peewee.TextField()

    class Meta:
        table_name = "merged_users"
        primary_key = peewee.CompositeKey("workspace_id", "user_id", "merged_id")


_NOTE = Statement(
    "INSERT INTO erasures (workspace_id, user_hash, erased_at) VALUES (?, ?, ?) "
    "ON CONFLICT DO NOTHING RETURNING user_hash"
)
_OF_WORKSPACE = Statement("SELECT user_hash, erased_at FROM erasures WHERE workspace_id = ?")
_LATEST = Statement("SELECT max(erased_at) FROM erasures WHERE workspace_id = ?")
_NEXT_IDS = Statement("SELECT id, uid FROM users WHERE workspace_id = ? AND id > ? ORDER BY id LIMIT 5000")
_MERGED = Statement(lambda d: f"SELECT merged_id FROM merged_users WHERE workspace_id = ? AND user_id {d.in_array}")
_SURVIVOR = Statement("SELECT user_id FROM merged_users WHERE workspace_id = ? AND merged_id = ?")
_PASS_ON = Statement("UPDATE merged_users SET user_id = ? WHERE workspace_id = ? AND user_id = ? RETURNING user_id")
_MERGE = Statement("INSERT INTO merged_users (workspace_id, user_id, merged_id) VALUES (?, ?, ?) RETURNING user_id")


def note(entries: Iterable[Entry]) -> None:
    """Put the entries in the table; those that are there stay. Call in a transaction."""
    run_all([Call(_NOTE, tuple(one)) for one in entries])


def of_workspace(workspace: int) -> list[Entry]:
    """Return the entries of the workspace."""
    return [Entry(workspace, *row) for row in _OF_WORKSPACE(workspace)]


def latest(workspace: int) -> int:
    """Return when the last user of the workspace was erased, in epoch milliseconds; 0 when none was."""
    return int(_LATEST(workspace)[0][0] or 0)


def ids_and_uids(workspace: int) -> Iterator[tuple[str, str]]:
    """Yield (id, uid) of every user of the workspace, a few thousand at a time."""
    last = ""
    while rows := _NEXT_IDS(workspace, last):
        yield from rows
        last = rows[-1][0]


def merged_into(workspace: int, user_ids: Sequence[str]) -> list[str]:
    """Return the ids of those who were merged into any of the users, directly or through others."""
    return [id for (id,) in _MERGED(workspace, db.obj.array(user_ids))]


def survivor(workspace: int, user_id: str) -> str | None:
    """Return the id of the user that this one was merged into; None if it was not merged."""
    rows = _SURVIVOR(workspace, user_id)
    return rows[0][0] if rows else None


def note_merge(workspace: int, source_id: str, destination_id: str) -> None:
    """Note that the source, with all users merged into it, lives on in the destination. Call in a transaction."""
    _PASS_ON(destination_id, workspace, source_id)
    _MERGE(workspace, destination_id, source_id)
