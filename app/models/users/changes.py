"""Changes to a user that is there: locked, renamed, archived, deleted."""

import peewee

from app import errors
from app.models.database import Statement, db
from app.models.users.rows import json_path

_LOCK = Statement(
    lambda d: f"SELECT id FROM users WHERE workspace_id = {d.parameter} AND uid = {d.parameter}{d.for_update}"
)
_DELETE = Statement(
    lambda d: f"DELETE FROM users WHERE workspace_id = {d.parameter} AND id = {d.parameter} RETURNING id"
)


def lock(workspace: int, uid: str) -> str | None:
    """Return the id of the user of that uid and keep it from changing until the transaction ends."""
    rows = _LOCK(workspace, uid)
    return rows[0][0] if rows else None


_LOCK_ID = Statement(
    lambda d: f"SELECT id FROM users WHERE workspace_id = {d.parameter} AND id = {d.parameter}{d.for_update}"
)


def lock_id(workspace: int, id: str) -> None:
    """Keep the user of that id, if there is one, from changing until the transaction ends."""
    _LOCK_ID(workspace, id)


_LOCK_BOTH = Statement(
    lambda d: (
        f"SELECT uid, id FROM users WHERE workspace_id = {d.parameter} AND uid IN ({d.parameter}, {d.parameter}) "
        f"ORDER BY id{d.for_update}"
    )
)


def lock_both(workspace: int, *uids: str) -> dict[str, str]:
    """Return {uid: id} of those of two uids that exist, locked in the order of their ids."""
    return dict(_LOCK_BOTH(workspace, *uids))


_REKEY = Statement(
    lambda d: (
        f"UPDATE users SET uid = {d.parameter}, uid_updateable = FALSE "
        f"WHERE workspace_id = {d.parameter} AND id = {d.parameter} RETURNING id"
    )
)


def rekey(workspace: int, id: str, uid: str) -> bool:
    """Give the user another uid. Returns whether nobody else has it."""
    try:
        with db.atomic():
            return bool(_REKEY(uid, workspace, id))
    except peewee.IntegrityError:
        return False


_RENAME = Statement(
    lambda d: (
        f"UPDATE users SET uid = {d.parameter}, uid_updateable = FALSE "
        f"WHERE workspace_id = {d.parameter} AND id = {d.parameter} AND uid_updateable RETURNING id"
    )
)


def rename(workspace: int, id: str, uid: str) -> bool:
    """Give an updateable user its own uid, for good. Returns whether it still was updateable.

    Raises errors.UidTaken.
    """
    try:
        with db.atomic():
            return bool(_RENAME(uid, workspace, id))
    except peewee.IntegrityError:
        raise errors.UidTaken() from None


_REMOVE_META = Statement(
    lambda d: (
        f"UPDATE users SET meta = {d.json_remove} WHERE workspace_id = {d.parameter} AND id = {d.parameter} "
        "RETURNING id"
    )
)
_ARCHIVE = Statement(
    lambda d: (
        f"UPDATE users SET archived_at = coalesce(archived_at, {d.parameter}) "
        f"WHERE workspace_id = {d.parameter} AND uid = {d.parameter} RETURNING id"
    )
)


def remove_meta(workspace: int, id: str, key: str) -> None:
    """Remove an attribute from the user's meta."""
    _REMOVE_META(json_path(key) if db.dialect.name == "sqlite" else key, workspace, id)


def archive(workspace: int, uid: str, now: int) -> bool:
    """Archive the user, at the time given unless it was before. Returns whether there is one."""
    return bool(_ARCHIVE(now, workspace, uid))


def delete(workspace: int, id: str) -> None:
    """Delete the user and, by cascade, all that hangs on it; the counts of lists and accounts are not looked after."""
    _DELETE(workspace, id)
