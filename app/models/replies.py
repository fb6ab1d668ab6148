"""Replies kept for their Idempotency-Key, in the transaction of the write that they answer."""

from typing import NamedTuple

import peewee

from app.models.database import BaseModel, Statement, db


class Reply(BaseModel):
    """What a request with an Idempotency-Key was answered. The key itself is not kept; time in epoch milliseconds."""

    workspace_id = peewee.BigIntegerField()
    key_hash = peewee.TextField()
    request_hash = peewee.TextField()
    body = peewee.TextField(null=True)
    created_at = peewee.BigIntegerField()

    class Meta:
        table_name = "replies"
        primary_key = peewee.CompositeKey("workspace_id", "key_hash")


class EventId(BaseModel):
    """The id that a caller gave an event, as its hash: so short whatever it was, and nothing to read about anybody."""

    workspace_id = peewee.BigIntegerField()
    id_hash = peewee.TextField()

    class Meta:
        table_name = "event_ids"
        primary_key = peewee.CompositeKey("workspace_id", "id_hash")


class ReplyRow(NamedTuple):
    """A reply that is kept."""

    request_hash: str
    body: str


_FORGET = Statement(
    lambda d: (
        f"DELETE FROM replies WHERE workspace_id = {d.parameter} AND created_at < {d.parameter} RETURNING key_hash"
    )
)
_FIND = Statement(
    lambda d: f"SELECT request_hash, body FROM replies WHERE workspace_id = {d.parameter} AND key_hash = {d.parameter}"
)
_KEEP = Statement(
    lambda d: (
        f"INSERT INTO replies (workspace_id, key_hash, request_hash, body, created_at) "
        f"VALUES ({', '.join([d.parameter] * 5)}) RETURNING key_hash"
    )
)


def reserve(workspace: int, key_hash: str) -> bool:
    """Keep others from the key until the transaction ends. Returns whether nobody else has it.

    On SQLite a transaction that writes is the only one: whoever has the key is through by the time we ask.
    """
    if db.dialect.name == "sqlite":
        return True
    number = int(key_hash[:15], 16) ^ workspace
    return bool(db.execute_sql("SELECT pg_try_advisory_xact_lock(%s)", (number,)).fetchone()[0])


def find(workspace: int, key_hash: str) -> ReplyRow | None:
    """Return the reply kept for the key."""
    rows = _FIND(workspace, key_hash)
    return ReplyRow._make(rows[0]) if rows else None


def keep(workspace: int, key_hash: str, request_hash: str, body: str, now: int) -> None:
    """Keep a reply."""
    _KEEP(workspace, key_hash, request_hash, body, now)


def forget(workspace: int, before: int) -> None:
    """Forget the replies that are older than this moment, in epoch milliseconds."""
    _FORGET(workspace, before)
