"""Workspaces and their key pairs: a key leads to its workspace.

These tables are the only ones without a workspace in front of their keys: a request names just a public key, and
what that key finds is the workspace.
"""

from typing import NamedTuple

import peewee

from app.models.database import BaseModel, Statement, unrepeated


class Workspace(BaseModel):
    """A tenant. `environment_id` is its name on the Atomic API; `signing_key` signs the links that it hands out.

    `signatures_since`: since when its users are signed (app/services/signatures.py), null when they are not.
    """

    id = peewee.BigAutoField()
    name = peewee.TextField(unique=True)
    environment_id = peewee.TextField(unique=True)
    signing_key = peewee.TextField()
    created_at = peewee.BigIntegerField()
    signatures_since = peewee.BigIntegerField(null=True)

    class Meta:
        table_name = "workspaces"


class Key(BaseModel):
    """A key pair. The secret itself is kept nowhere; times are epoch milliseconds."""

    public_key = peewee.TextField(primary_key=True)
    workspace = peewee.ForeignKeyField(Workspace, backref="keys", on_delete="CASCADE")
    secret_hash = peewee.TextField()
    created_at = peewee.BigIntegerField()
    expires_at = peewee.BigIntegerField(null=True)
    revoked_at = peewee.BigIntegerField(null=True)

    class Meta:
        table_name = "keys"


class Origin(BaseModel):
    """A web origin whose pages may call with this public key; `*` is any."""

    public_key = peewee.TextField()
    origin = peewee.TextField()

    class Meta:
        table_name = "origins"
        primary_key = peewee.CompositeKey("public_key", "origin")


class KeyRow(NamedTuple):
    """What a request needs to know of its key."""

    workspace: int
    secret_hash: str
    expires_at: int | None
    signing_key: str
    signatures_since: int | None


_FIND = Statement(
    "SELECT workspace_id, secret_hash, expires_at, signing_key, signatures_since "
    "FROM keys JOIN workspaces ON workspaces.id = workspace_id "
    "WHERE public_key = ? AND revoked_at IS NULL"
)


def find_key(public_key: str) -> KeyRow | None:
    """Return the key of that name unless it was revoked."""
    rows = _FIND(public_key)
    return KeyRow._make(rows[0]) if rows else None


_ORIGINS = Statement("SELECT origin FROM origins WHERE public_key = ?")
_IS_ORIGIN = Statement("SELECT 1 FROM origins WHERE origin IN (?, '*') LIMIT 1")


def origins_of(public_key: str) -> frozenset[str]:
    """Return the origins whose pages may call with this key."""
    return frozenset(origin for (origin,) in _ORIGINS(public_key))


def is_any_origin(origin: str) -> bool:
    """Return True if pages of this origin may call with any key at all."""
    return bool(_IS_ORIGIN(origin))


_TRY_WRITE = Statement(
    "UPDATE workspaces SET created_at = created_at WHERE id = (SELECT min(id) FROM workspaces) RETURNING id"
)


@unrepeated
def try_write() -> None:
    """Write to the disk, and change nothing. Raises errors.StorageUnavailable when the database takes no writes."""
    _TRY_WRITE()
