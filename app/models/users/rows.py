"""The users table, and a user as a row."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson
import peewee

from app.models.database import BaseModel
from app.models.dialects import Dialect
from app.strict_json import MAX_INTEGER

_MANY_DIGITS = re.compile("[0-9]{16}")  # MAX_INTEGER has so many
MAX_META_KEYS = 300  # engage.md section 3, counted after the merge


class User(BaseModel):
    """A person or an account. Times are epoch milliseconds; see engage.md section 3 for the fields."""

    workspace_id = peewee.BigIntegerField()
    id = peewee.TextField()
    uid = peewee.TextField()
    uid_updateable = peewee.BooleanField(default=False)
    first_name = peewee.TextField(null=True)
    last_name = peewee.TextField(null=True)
    number = peewee.TextField(null=True)
    number_digits = peewee.TextField(null=True)
    email = peewee.TextField(null=True)
    email_key = peewee.TextField(null=True)
    is_account = peewee.BooleanField(default=False)
    member_count = peewee.BigIntegerField(default=0)
    archived_at = peewee.BigIntegerField(null=True)
    meta = peewee.JSONField(default=dict)
    tz = peewee.TextField(null=True)
    app_version = peewee.TextField(null=True)
    app_build = peewee.TextField(null=True)
    app_last_active = peewee.BigIntegerField(null=True)
    created_at = peewee.BigIntegerField()
    last_interaction = peewee.BigIntegerField(null=True)
    hidden_at = peewee.BigIntegerField(null=True)

    class Meta:
        table_name = "users"
        primary_key = peewee.CompositeKey("workspace_id", "id")
        indexes = ((("workspace_id", "uid"), True),)


class UserRow(NamedTuple):
    """A user with all that the user object shows; times are epoch milliseconds, side tables lists of dicts.

    rules: the version of the workspace's segments, while it is not decided which of them the user is in; None when it
    is, or there are none (app/services/segments/membership.py).
    """

    id: str
    uid: str
    uid_updateable: bool
    first_name: str | None
    last_name: str | None
    number: str | None
    email: str | None
    is_account: bool
    member_count: int
    archived_at: int | None
    meta: dict[str, Any]
    created_at: int
    last_interaction: int | None
    devices: list[dict[str, Any]]
    accounts: list[dict[str, Any]]
    lists: list[dict[str, Any]]
    segments: list[dict[str, Any]]
    rules: str | None


def columns(d: Dialect) -> str:
    """Return the columns of a UserRow: one statement brings the side tables along."""
    devices = d.json_rows.format(
        "'token', devices.token, 'platform', devices.platform",
        "devices.position",
        "devices WHERE devices.workspace_id = users.workspace_id AND devices.user_id = users.id",
    )
    accounts = d.json_rows.format(
        "'id', account.uid, 'role', memberships.role",
        "memberships.position",
        "memberships JOIN users AS account ON account.workspace_id = memberships.workspace_id "
        "AND account.id = memberships.account_id "
        "WHERE memberships.workspace_id = users.workspace_id AND memberships.user_id = users.id",
    )
    lists = d.json_rows.format(
        "'id', subscriptions.list_id, 'status', subscriptions.status",
        "subscriptions.position",
        "subscriptions WHERE subscriptions.workspace_id = users.workspace_id AND subscriptions.user_id = users.id",
    )
    rules = "(SELECT version FROM segment_sets WHERE segment_sets.workspace_id = users.workspace_id)"
    return (
        "users.id, users.uid, users.uid_updateable, users.first_name, users.last_name, users.number, users.email, "
        f"users.is_account, users.member_count, users.archived_at, {d.json_text.format('users.meta')}, "
        f"users.created_at, users.last_interaction, {devices}, {accounts}, {lists}, {rules}"
    )


def row(values: tuple[Any, ...]) -> UserRow:
    """Return the user of a row of `columns`."""
    *columns, is_account, members, archived_at, meta, created_at, last, devices, accounts, lists, rules = values
    columns[2] = bool(columns[2])  # SQLite has no booleans
    side_tables = [orjson.loads(text) if text != "[]" else [] for text in (devices, accounts, lists)]
    return UserRow._make(
        (*columns, bool(is_account), members, archived_at, load_flat(meta), created_at, last, *side_tables, [], rules)
    )


def load_flat(text: str) -> dict[str, Any]:
    """Return a stored JSON object of scalars as it was sent.

    Postgres writes the float 1e300 as 301 digits: what has no exact place among our integers was sent as a float.
    """
    found: dict[str, Any] = orjson.loads(text)
    if _MANY_DIGITS.search(text):
        for key, value in found.items():
            if value.__class__ is int and abs(value) > MAX_INTEGER:
                found[key] = float(value)
    return found


def fits(stored: Mapping[str, Any], meta: Mapping[str, Any]) -> bool:
    """Return True if a user may have the stored meta with the other one laid over it, in which None removes."""
    if len(stored) + len(meta) <= MAX_META_KEYS:
        return True
    return sum(value is not None for value in {**stored, **meta}.values()) <= MAX_META_KEYS


def dump(value: object) -> str:
    """Return JSON text as the JSON columns take it."""
    return orjson.dumps(value).decode()


def json_path(key: str) -> str:
    """Return SQLite's path of a key: a label in quotes, in which a quote and a backslash are escaped as in JSON."""
    return f"$.{dump(key)}"
