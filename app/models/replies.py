"""Replies kept for an Idempotency-Key, in the transaction of their write.

key_hash: as `names.hash_of` makes it.
"""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

import peewee

from app.models.database import BaseModel, Call, Statement, db, run_all

ANYBODY = ""  # the subject of a reply of which nobody knows whom it is about


class Reply(BaseModel):
    """What a request with an Idempotency-Key was answered. The key itself is not kept; time in epoch milliseconds.

    `body` is NULL once somebody whom it is about was erased: the request still counts as done.
    """

    workspace_id = peewee.BigIntegerField()
    key_hash = peewee.TextField()
    request_hash = peewee.TextField()
    body = peewee.TextField(null=True)
    outcome = peewee.TextField(null=True)
    created_at = peewee.BigIntegerField()

    class Meta:
        table_name = "replies"
        primary_key = peewee.CompositeKey("workspace_id", "key_hash")


class ReplySubject(BaseModel):
    """Whom a reply may tell about: the hash of an internal id or a uid. An empty one stands for anybody."""

    workspace_id = peewee.BigIntegerField()
    key_hash = peewee.TextField()
    subject_hash = peewee.TextField()

    class Meta:
        table_name = "reply_subjects"
        primary_key = peewee.CompositeKey("workspace_id", "key_hash", "subject_hash")


class EventId(BaseModel):
    """The id that a caller gave an event, as its hash: so short whatever it was, and nothing to read about anybody."""

    workspace_id = peewee.BigIntegerField()
    id_hash = peewee.TextField()

    class Meta:
        table_name = "event_ids"
        primary_key = peewee.CompositeKey("workspace_id", "id_hash")


class ReplyRow(NamedTuple):
    """A reply that is kept. outcome: what it told in `Rollcall-Outcome`."""

    request_hash: str
    body: str | None
    outcome: str | None


HORIZON = "replies"  # the name of the mark in `job_runs`
_FORGET = Statement(
    f"DELETE FROM replies WHERE workspace_id = ? "
    f"AND created_at < (SELECT ran_at FROM job_runs WHERE name = '{HORIZON}') RETURNING key_hash"
)
_FIND = Statement("SELECT request_hash, body, outcome FROM replies WHERE workspace_id = ? AND key_hash = ?")
_KEEP = Statement(
    "INSERT INTO replies (workspace_id, key_hash, request_hash, body, outcome, created_at) "
    "VALUES (?, ?, ?, ?, ?, ?) RETURNING key_hash"
)
_LINK = Statement(
    "INSERT INTO reply_subjects (workspace_id, key_hash, subject_hash) VALUES (?, ?, ?) RETURNING key_hash"
)
_PASS_ON = Statement(
    "INSERT INTO reply_subjects (workspace_id, key_hash, subject_hash) "
    "SELECT workspace_id, key_hash, ? FROM reply_subjects "
    "WHERE workspace_id = ? AND subject_hash = ? ON CONFLICT DO NOTHING RETURNING key_hash"
)
_ERASE = Statement(
    lambda d: (
        "UPDATE replies SET body = NULL, request_hash = '' WHERE workspace_id = ? AND key_hash IN "
        f"(SELECT key_hash FROM reply_subjects WHERE workspace_id = ? AND subject_hash {d.in_array}) "
        "RETURNING key_hash"
    )
)
_UNLINK = Statement(
    lambda d: f"DELETE FROM reply_subjects WHERE workspace_id = ? AND subject_hash {d.in_array} RETURNING key_hash"
)


def reserve(workspace: int, key_hash: str) -> bool:
    """Lock the key until the transaction ends. Returns True if it was free.

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


def keep(workspace: int, key_hash: str, reply: ReplyRow, now: int, subjects: Iterable[str]) -> None:
    """Keep a reply. subjects: the ids and uids of all whom it may tell about, or ANYBODY."""
    _KEEP(workspace, key_hash, *reply, now)
    run_all([Call(_LINK, (workspace, key_hash, _hash(one))) for one in sorted(set(subjects))])


def forget(workspace: int) -> None:
    """Forget the replies that are older than the mark of the horizon (app/services/marks.py)."""
    _FORGET(workspace)


def erase(workspace: int, subjects: Iterable[str]) -> None:
    """Drop the bodies of all replies about any of these ids and uids. Call in a transaction.

    Their keys stay taken: a request that is sent again late must not bring back who was erased.
    """
    hashes = db.obj.array([ANYBODY, *map(_hash, subjects)])
    _ERASE(workspace, workspace, hashes)
    _UNLINK(workspace, hashes)


def pass_on(workspace: int, subjects: Iterable[str], user_id: str) -> None:
    """Count replies about any of these ids and uids as replies about the user too. Call in a transaction."""
    for subject in subjects:
        _PASS_ON(_hash(user_id), workspace, _hash(subject))


def _hash(subject: str) -> str:
    return hashlib.sha256(subject.encode()).hexdigest() if subject else ANYBODY
