"""Erased uids: late events about them create no user (engage.md section 4.3).

A row says something only while the uid has no user. Whoever makes the uid anew leaves the row alone; whoever takes the
uid from its user otherwise than by an erasure, a merge, calls `forget`. Kept is a keyed hash of the uid, for some days.
"""

from collections.abc import Collection, Sequence

import peewee

from app.domain import names
from app.models.database import BaseModel, Statement, db, write_many
from app.models.dialects import Dialect, given


class ErasedUid(BaseModel):
    """A uid that was erased: its keyed hash, and until when that counts, in epoch milliseconds."""

    workspace_id = peewee.BigIntegerField()
    uid_hash = peewee.TextField()
    expires_at = peewee.BigIntegerField()

    class Meta:
        table_name = "erased_uids"
        primary_key = peewee.CompositeKey("workspace_id", "uid_hash")


def is_erased(d: Dialect, workspace: str, uid: str, now: str) -> str:
    """Return SQL for whether a uid was erased; it says nothing of one that has a user. The others are SQL, too."""
    if d.name == "postgres":
        return f"rollcall_is_erased({workspace}, {uid}, {now})"
    key = f"(SELECT signing_key FROM workspaces WHERE workspaces.id = {workspace})"
    return (
        f"EXISTS (SELECT 1 FROM erased_uids WHERE erased_uids.workspace_id = {workspace} "
        f"AND uid_hash = erased_uid_hash({key}, {uid}) AND expires_at > {now})"
    )


def may_have_events(d: Dialect, workspace: str, uid: str, now: str) -> str:
    """Return SQL for whether a uid has a user, or was not erased. The others are SQL for what they say.

    It asks as little as it can: whether the workspace has erased uids at all, then whether there is the user.
    """
    return (
        f"(NOT EXISTS (SELECT 1 FROM erased_uids WHERE erased_uids.workspace_id = {workspace}) "
        f"OR EXISTS (SELECT 1 FROM users AS known WHERE known.workspace_id = {workspace} AND known.uid = {uid} "
        f"AND known.hidden_at IS NULL) OR NOT {is_erased(d, workspace, uid, now)})"
    )


_KEY = Statement("SELECT signing_key FROM workspaces WHERE id = ?")
_NOTE = Statement(
    lambda d: (
        f"INSERT INTO erased_uids (workspace_id, expires_at, uid_hash) "
        f"{given(d, 2, {'uid_hash': 'text'}, in_order=False)} "
        "ON CONFLICT (workspace_id, uid_hash) DO UPDATE SET expires_at = excluded.expires_at"
    )
)
_FORGET = Statement(
    lambda d: f"DELETE FROM erased_uids WHERE workspace_id = ? AND uid_hash {d.in_array} RETURNING uid_hash"
)
_EXPIRE = Statement("DELETE FROM erased_uids WHERE workspace_id = ? AND expires_at <= ? RETURNING uid_hash")
_ANY = Statement("SELECT 1 FROM erased_uids WHERE workspace_id = ? LIMIT 1")
_FIND = Statement(
    lambda d: f"SELECT uid_hash FROM erased_uids WHERE workspace_id = ? AND expires_at > ? AND uid_hash {d.in_array}"
)


def note(workspace: int, uids: Collection[str], until: int) -> None:
    """Note that the users of these uids are erased. until: epoch milliseconds. Call in the erasing transaction."""
    write_many(_NOTE, (workspace, until), [sorted(_hashes(workspace, uids))])


def forget(workspace: int, uids: Collection[str]) -> None:
    """Forget that these uids were erased, as they lose their users otherwise. Call in the transaction that does it."""
    if _ANY(workspace):
        _FORGET(workspace, db.obj.array(list(_hashes(workspace, uids))))


def forget_expired(workspace: int, now: int) -> None:
    """Forget the uids that were kept long enough. now: epoch milliseconds."""
    _EXPIRE(workspace, now)


def find(workspace: int, uids: Sequence[str], now: int) -> set[str]:
    """Return those of the uids that were erased; it says nothing of one that has a user. now: epoch milliseconds."""
    if not uids or not _ANY(workspace):
        return set()
    hashes = _hashes(workspace, uids)
    return {hashes[found] for (found,) in _FIND(workspace, now, db.obj.array(list(hashes)))}


def _hashes(workspace: int, uids: Collection[str]) -> dict[str, str]:
    [(key,)] = _KEY(workspace)
    return {names.hash_of_uid(key, uid): uid for uid in uids}
