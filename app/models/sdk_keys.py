"""SDK keys: public keys for user tokens, and the claims that go into a profile."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson
import peewee

from app.domain import ids
from app.models.database import BaseModel, Statement, unrepeated

_LISTS_AND_OBJECTS = ("issuers", "audiences", "claims")


class SdkKey(BaseModel):
    """A key, given as PEM or by the URL of a set (RFC 7517). Times are epoch milliseconds.

    `jwks` is the set as it was fetched last, at `fetched_at`; `tried_at` is when somebody last set out to fetch it, and
    `problem` why that failed.
    """

    workspace_id = peewee.BigIntegerField()
    id = peewee.TextField()
    name = peewee.TextField()
    public_key = peewee.TextField(null=True)
    jwks_url = peewee.TextField(null=True)
    max_token_days = peewee.BigIntegerField()
    issuers = peewee.TextField()
    audiences = peewee.TextField()
    subject_claim = peewee.TextField(null=True)
    claims = peewee.TextField()
    created_at = peewee.BigIntegerField()
    jwks = peewee.TextField(null=True)
    fetched_at = peewee.BigIntegerField(null=True)
    tried_at = peewee.BigIntegerField(null=True)
    problem = peewee.TextField(null=True)

    class Meta:
        table_name = "sdk_keys"
        primary_key = peewee.CompositeKey("workspace_id", "id")


class SdkKeyRow(NamedTuple):
    """A key as it is stored. claims: name of a claim -> profile field. jwks: keys of the set, None before the first."""

    id: str
    name: str
    public_key: str | None
    jwks_url: str | None
    max_token_days: int
    issuers: list[str]
    audiences: list[str]
    subject_claim: str | None
    claims: dict[str, str]
    created_at: int
    jwks: list[dict[str, str]] | None
    fetched_at: int | None
    tried_at: int | None
    problem: str | None


_COLUMNS = ", ".join(SdkKeyRow._fields)
_FIND = Statement(f"SELECT {_COLUMNS} FROM sdk_keys WHERE workspace_id = ? AND id = ?")
_OF_WORKSPACE = Statement(f"SELECT {_COLUMNS} FROM sdk_keys WHERE workspace_id = ? ORDER BY id")
_DELETE = Statement("DELETE FROM sdk_keys WHERE workspace_id = ? AND id = ? RETURNING id")
_CLAIM_FETCH = Statement(
    "UPDATE sdk_keys SET tried_at = ?, problem = NULL WHERE workspace_id = ? "
    "AND id = ? AND jwks_url = ? AND (tried_at IS NULL OR tried_at <= ?) "
    "RETURNING id"
)
_NOTE_FETCHED = Statement(
    "UPDATE sdk_keys SET jwks = ?, fetched_at = ? WHERE workspace_id = ? AND id = ? AND jwks_url = ? RETURNING id"
)
_NOTE_PROBLEM = Statement(
    "UPDATE sdk_keys SET problem = ? WHERE workspace_id = ? AND id = ? AND jwks_url = ? RETURNING id"
)


def find(workspace: int, id: str) -> SdkKeyRow | None:
    """Return the key of that id."""
    rows = _FIND(workspace, id)
    return _row(rows[0]) if rows else None


def of_workspace(workspace: int) -> list[SdkKeyRow]:
    """Return the keys of the workspace in the order they were made."""
    return [_row(values) for values in _OF_WORKSPACE(workspace)]


def create(workspace: int, fields: Mapping[str, Any], now: int) -> str:
    """Make a key with these columns, and return its id."""
    id = ids.new()
    SdkKey.insert(workspace_id=workspace, id=id, created_at=now, **_stored(fields)).execute()
    return id


def update(workspace: int, id: str, fields: Mapping[str, Any]) -> None:
    """Set these columns, at least one."""
    SdkKey.update(**_stored(fields)).where((SdkKey.workspace_id == workspace) & (SdkKey.id == id)).execute()


def delete(workspace: int, id: str) -> bool:
    """Delete the key. Returns whether there was one."""
    return bool(_DELETE(workspace, id))


@unrepeated
def claim_fetch(workspace: int, id: str, url: str, now: int, before: int) -> bool:
    """Claim the fetch of the set, unless another fetch began after `before`. Returns True if claimed.

    now, before: epoch milliseconds. Raises errors.StorageUnavailable.
    """
    return bool(_CLAIM_FETCH(now, workspace, id, url, before))


@unrepeated
def note_fetched(workspace: int, id: str, url: str, jwks: list[dict[str, str]], now: int) -> None:
    """Keep the set that was fetched from the URL, if it is still the key's. Raises errors.StorageUnavailable."""
    _NOTE_FETCHED(orjson.dumps(jwks).decode(), now, workspace, id, url)


@unrepeated
def note_problem(workspace: int, id: str, url: str, problem: str) -> None:
    """Note why the set could not be fetched from the URL. Raises errors.StorageUnavailable."""
    _NOTE_PROBLEM(problem, workspace, id, url)


def _stored(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: orjson.dumps(value).decode() if name in _LISTS_AND_OBJECTS else value for name, value in fields.items()
    }


def _row(values: tuple[Any, ...]) -> SdkKeyRow:
    named = dict(zip(SdkKeyRow._fields, values, strict=True))
    loaded = {name: orjson.loads(named[name]) for name in (*_LISTS_AND_OBJECTS, "jwks") if named[name] is not None}
    return SdkKeyRow(**{**named, **loaded})
