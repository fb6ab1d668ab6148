"""Push tokens of users, at most MAX_DEVICES each."""

import hashlib
from collections.abc import Sequence

import peewee

from app.domain import ids
from app.models.database import BaseModel, Statement, db

MAX_DEVICES = 5  # engage.md section 3: the last 5 tokens


class Device(BaseModel):
    """A push token, which belongs to one user of the workspace at a time. `position` is an id: newest is greatest."""

    workspace_id = peewee.BigIntegerField()
    token_hash = peewee.TextField()
    user_id = peewee.TextField()
    token = peewee.TextField()
    platform = peewee.TextField(null=True)
    position = peewee.TextField()

    class Meta:
        table_name = "devices"
        primary_key = peewee.CompositeKey("workspace_id", "token_hash")


_PUT = Statement(
    "INSERT INTO devices (workspace_id, token_hash, user_id, token, platform, position) "
    "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (workspace_id, token_hash) DO UPDATE SET "
    "user_id = excluded.user_id, position = excluded.position, "
    "platform = coalesce(excluded.platform, devices.platform) "
    "RETURNING user_id"
)
_TRIM = Statement(
    f"DELETE FROM devices WHERE workspace_id = ? AND user_id = ? "
    f"AND token_hash NOT IN (SELECT token_hash FROM devices WHERE workspace_id = ? "
    f"AND user_id = ? ORDER BY position DESC LIMIT {MAX_DEVICES}) RETURNING user_id"
)


def put(workspace: int, user_id: str, token: str, platform: str | None) -> None:
    """Make the token this user's newest and take it from any other user; only the newest MAX_DEVICES are kept."""
    _PUT(workspace, hash_token(token), user_id, token, platform, ids.new())
    trim(workspace, user_id)


def trim(workspace: int, user_id: str) -> None:
    """Forget all but the newest MAX_DEVICES tokens of the user."""
    _TRIM(workspace, user_id, workspace, user_id)


_REMOVE = Statement(
    "DELETE FROM devices WHERE workspace_id = ? AND user_id = ? AND token_hash = ? RETURNING token_hash"
)


def remove(workspace: int, user_id: str, token: str) -> None:
    """Forget the token, if it is the user's."""
    _REMOVE(workspace, user_id, hash_token(token))


_FORGET_ALL = Statement(
    lambda d: f"DELETE FROM devices WHERE workspace_id = ? AND user_id {d.in_array} RETURNING user_id"
)


def forget_all(workspace: int, user_ids: Sequence[str]) -> None:
    """Forget all tokens of these users."""
    _FORGET_ALL(workspace, db.obj.array(user_ids))


def hash_token(token: str) -> str:
    """Return the key of a token: the token itself may be longer than an index row of Postgres can be."""
    return hashlib.sha256(token.encode()).hexdigest()
