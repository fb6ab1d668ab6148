"""Change one existing user: lock, rename, archive, delete."""

import functools
from collections.abc import Collection, Sequence

import peewee

from app import errors
from app.models.database import Call, Statement, db
from app.models.dialects import Dialect
from app.models.users.rows import json_path

_TURNS = 0x42415443  # "BATC": the class of the advisory locks on Postgres

_LOCK = Statement(lambda d: f"SELECT id FROM users WHERE workspace_id = ? AND uid = ?{d.for_update}")
_DELETE = Statement("DELETE FROM users WHERE workspace_id = ? AND id = ? RETURNING id")


def lock(workspace: int, uid: str) -> str | None:
    """Return the id of the user of that uid and keep it from changing until the transaction ends."""
    rows = _LOCK(workspace, uid)
    return rows[0][0] if rows else None


_LOCK_ID = Statement(lambda d: f"SELECT id FROM users WHERE workspace_id = ? AND id = ?{d.for_update}")


def lock_id(workspace: int, id: str) -> None:
    """Keep the user of that id, if there is one, from changing until the transaction ends."""
    _LOCK_ID(workspace, id)


_LOCK_SHOWN = Statement(
    lambda d: f"SELECT id FROM users WHERE workspace_id = ? AND id = ? AND hidden_at IS NULL{d.for_update}"
)


def lock_shown(workspace: int, id: str) -> bool:
    """As `lock_id`, of one who does not wait to be erased; return whether there is one."""
    return bool(_LOCK_SHOWN(workspace, id))


@functools.cache
def _lock_by(column: str, count: int) -> Statement:
    return Statement(
        lambda d: (
            f"SELECT uid, id FROM users WHERE workspace_id = ? "
            f"AND {column} IN ({', '.join('?' * count)}) ORDER BY uid{d.for_update}"
        )
    )


@functools.cache
def _with_accounts(count: int) -> Statement:
    def build(d: Dialect) -> str:
        named = f"users.workspace_id = ? AND users.uid IN ({', '.join('?' * count)})"
        return (
            f"SELECT users.id FROM users WHERE {named} UNION SELECT memberships.account_id FROM users JOIN memberships "
            f"ON memberships.workspace_id = users.workspace_id AND memberships.user_id = users.id WHERE {named}"
        )

    return Statement(build)


def lock_all(workspace: int, uids: Collection[str], with_accounts: bool = False) -> dict[str, str]:
    """Return {uid: id} of those of the uids that exist, and keep them from changing until the transaction ends.

    with_accounts: lock the accounts that they are in, too. All are locked in the order of their uids, in one
    statement: so two transactions that need the same users wait for each other and cannot block each other.
    """
    if not uids:
        return {}
    if with_accounts:  # a subquery in the lock itself would be planned as a scan of all users
        ids = [id for (id,) in _with_accounts(len(uids))(workspace, *uids, workspace, *uids)]
        locked = _lock_by("id", len(ids))(workspace, *ids) if ids else []
    else:
        locked = _lock_by("uid", len(uids))(workspace, *uids)
    return {uid: id for uid, id in locked if uid in uids}


_LOCK_EACH = Statement(
    lambda d: (
        f"SELECT id FROM users WHERE workspace_id = ? AND uid {d.in_short_array} ORDER BY uid"
        f"{' FOR NO KEY UPDATE' if d.for_update else ''}"
    )
)


def lock_call(workspace: int, uids: Sequence[str]) -> Call:
    """Return the call that keeps users from being changed by others, taken in the order of their uids."""
    return Call(_LOCK_EACH, (workspace, db.obj.array(uids)))


_TAKE_TURNS = Statement("SELECT pg_advisory_xact_lock(?, hashtext(?::text))")


def take_turns(workspace: int, contact: str = "") -> None:
    """Serialize transactions by workspace and contact until they end. On SQLite they are serial anyway."""
    if db.dialect.name == "postgres":
        _TAKE_TURNS(_TURNS, f"{workspace}/{contact}" if contact else str(workspace))


_RENAME = Statement(
    "UPDATE users SET uid = ?, uid_updateable = FALSE "
    "WHERE workspace_id = ? AND id = ? AND (uid_updateable OR ?) RETURNING id"
)


def rename(workspace: int, id: str, uid: str, any_user: bool = False) -> bool:
    """Give a user another uid, for good. Returns whether that was done: only a user without a uid of its own gets one.

    any_user: whether one who has a uid of its own gets it, too. Raises errors.UidTaken.
    """
    try:
        with db.atomic():
            return bool(_RENAME(uid, workspace, id, any_user))
    except peewee.IntegrityError:
        raise errors.UidTaken() from None


_REMOVE_META = Statement(
    lambda d: f"UPDATE users SET meta = {d.json_remove} WHERE workspace_id = ? AND id = ? RETURNING id"
)
_ARCHIVE = Statement(
    "UPDATE users SET archived_at = coalesce(archived_at, ?) WHERE workspace_id = ? AND uid = ? RETURNING id"
)


def remove_meta(workspace: int, id: str, key: str) -> None:
    """Remove an attribute from the user's meta."""
    _REMOVE_META(json_path(key) if db.dialect.name == "sqlite" else key, workspace, id)


def hidden_uid(id: str) -> str:
    """Return the uid that a user has who waits to be erased: none that a caller can name, for it has a slash."""
    return f"/{id}"


_HIDE = Statement(
    lambda d: (
        "UPDATE users SET uid = '/' || id, hidden_at = ?, uid_updateable = FALSE, email_key = NULL, "
        f"number_digits = NULL WHERE workspace_id = ? AND id {d.in_array} RETURNING id"
    )
)


def hide(workspace: int, ids: Sequence[str], now: int) -> None:
    """Keep locked users from being found by uid, email, number or page; their uids are free from now on."""
    _HIDE(now, workspace, db.obj.array(ids))


def archive(workspace: int, uid: str, now: int) -> bool:
    """Archive the user, at the time given unless it was before. Returns whether there is one."""
    return bool(_ARCHIVE(now, workspace, uid))


def delete(workspace: int, id: str) -> None:
    """Delete the user and, by cascade, all that hangs on it; the counts of lists and accounts are not looked after."""
    _DELETE(workspace, id)
