"""SDK keys: public keys for user tokens, and the claims that go into a profile."""

import functools
import operator
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson
import peewee

from app.domain import ids
from app.models.database import BaseModel, unrepeated

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


def _where(workspace: int, *more: peewee.Expression) -> peewee.Expression:
    """The condition for keys of the workspace."""
    return functools.reduce(operator.and_, more, SdkKey.workspace_id == workspace)


def _select(*where: peewee.Expression) -> list[SdkKeyRow]:
    query = SdkKey.select(*[getattr(SdkKey, name) for name in SdkKeyRow._fields]).where(*where)
    rows: Any = query.order_by(SdkKey.id).tuples()
    return [_row(values) for values in rows]


def find(workspace: int, id: str) -> SdkKeyRow | None:
    """Return the key of that id."""
    return next(iter(_select(_where(workspace, SdkKey.id == id))), None)


def of_workspace(workspace: int) -> list[SdkKeyRow]:
    """Return the keys of the workspace in the order they were made."""
    return _select(_where(workspace))


def create(workspace: int, fields: Mapping[str, Any], now: int) -> str:
    """Make a key with these columns, and return its id."""
    id = ids.new()
    SdkKey.insert(workspace_id=workspace, id=id, created_at=now, **_stored(fields)).execute()
    return id


def update(workspace: int, id: str, fields: Mapping[str, Any]) -> None:
    """Set these columns, at least one."""
    SdkKey.update(**_stored(fields)).where(_where(workspace, SdkKey.id == id)).execute()


def delete(workspace: int, id: str) -> bool:
    """Delete the key. Returns True if there was one."""
    return bool(SdkKey.delete().where(_where(workspace, SdkKey.id == id)).execute())


@unrepeated
def claim_fetch(workspace: int, id: str, url: str, now: int, before: int) -> bool:
    """Claim the fetch of the set, unless another fetch began after `before`. Returns True if claimed.

    now, before: epoch milliseconds. Raises errors.StorageUnavailable.
    """
    is_due = SdkKey.tried_at.is_null() | (SdkKey.tried_at <= before)
    claim = SdkKey.update(tried_at=now, problem=None)
    return bool(claim.where(_where(workspace, SdkKey.id == id, SdkKey.jwks_url == url, is_due)).execute())


@unrepeated
def note_fetched(workspace: int, id: str, url: str, jwks: list[dict[str, str]], now: int) -> None:
    """Keep the set that was fetched from the URL, if it is still the key's. Raises errors.StorageUnavailable."""
    note = SdkKey.update(jwks=orjson.dumps(jwks).decode(), fetched_at=now)
    note.where(_where(workspace, SdkKey.id == id, SdkKey.jwks_url == url)).execute()


@unrepeated
def note_problem(workspace: int, id: str, url: str, problem: str) -> None:
    """Note why the set could not be fetched from the URL. Raises errors.StorageUnavailable."""
    note = SdkKey.update(problem=problem)
    note.where(_where(workspace, SdkKey.id == id, SdkKey.jwks_url == url)).execute()


def _stored(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: orjson.dumps(value).decode() if name in _LISTS_AND_OBJECTS else value for name, value in fields.items()
    }


def _row(values: tuple[Any, ...]) -> SdkKeyRow:
    named = dict(zip(SdkKeyRow._fields, values, strict=True))
    loaded = {name: orjson.loads(named[name]) for name in (*_LISTS_AND_OBJECTS, "jwks") if named[name] is not None}
    return SdkKeyRow(**{**named, **loaded})
