"""The users table, and a user as a row."""

import copy
import re
from collections.abc import Mapping
from typing import Any

import orjson
import peewee

from app.domain import shape
from app.domain.shape import UserRow
from app.models.database import BaseModel
from app.models.dialects import Dialect
from app.strict_json import MAX_INTEGER

_MANY_DIGITS = re.compile("[0-9]{16}")  # MAX_INTEGER has so many
MAX_META_KEYS = 300  # engage.md section 3, counted after the merge


class User(BaseModel):
    """A person or an account. Its other columns are made from app/domain/shape.py; times are epoch milliseconds."""

    workspace_id = peewee.BigIntegerField()
    number_digits = peewee.TextField(null=True)
    email_key = peewee.TextField(null=True)
    hidden_at = peewee.BigIntegerField(null=True)

    class Meta:
        table_name = "users"
        primary_key = peewee.CompositeKey("workspace_id", "id")
        indexes = ((("workspace_id", "uid"), True),)


_OF_KIND = {
    shape.FLAG: peewee.BooleanField,
    shape.META: peewee.JSONField,
    **dict.fromkeys((shape.ID, shape.TEXT), peewee.TextField),
    **dict.fromkeys((shape.COUNT, shape.PRESENCE, shape.TIME), peewee.BigIntegerField),
}
DEFAULTS = {shape.FLAG: False, shape.COUNT: 0, shape.META: {}}  # of a new user, by the kind of a field
for _name, _field in shape.COLUMNS.items():
    User._meta.add_field(
        _name, _OF_KIND[_field.kind](null=_field.is_nullable, default=copy.copy(DEFAULTS.get(_field.kind)))
    )


def columns(d: Dialect) -> str:
    """Return the columns of a UserRow: one statement brings the side tables along."""
    side_tables = {
        "devices": d.json_rows.format(
            "'token', devices.token, 'platform', devices.platform",
            "devices.position",
            "devices WHERE devices.workspace_id = users.workspace_id AND devices.user_id = users.id",
        ),
        "accounts": d.json_rows.format(
            "'id', account.uid, 'role', memberships.role",
            "memberships.position",
            "memberships JOIN users AS account ON account.workspace_id = memberships.workspace_id "
            "AND account.id = memberships.account_id "
            "WHERE memberships.workspace_id = users.workspace_id AND memberships.user_id = users.id",
        ),
        "lists": d.json_rows.format(
            "'id', subscriptions.list_id, 'status', subscriptions.status",
            "subscriptions.position",
            "subscriptions WHERE subscriptions.workspace_id = users.workspace_id AND subscriptions.user_id = users.id",
        ),
        "segments": "'[]'",
        "meta": d.json_text.format("users.meta"),
    }
    rules = "(SELECT version FROM segment_sets WHERE segment_sets.workspace_id = users.workspace_id)"
    return ", ".join([*(side_tables.get(name, f"users.{name}") for name in shape.FIELDS), rules])


def row(values: tuple[Any, ...]) -> UserRow:
    """Return the user of a row of `columns`."""
    columns = list(values)
    for place in _FLAGS:
        columns[place] = bool(columns[place])  # SQLite has no booleans
    for place in _ROWS:
        columns[place] = orjson.loads(columns[place]) if columns[place] != "[]" else []
    columns[_META] = load_flat(columns[_META])
    return UserRow._make(columns)


_KINDS = [field.kind for field in shape.FIELDS.values()]
_FLAGS = [place for place, kind in enumerate(_KINDS) if kind == shape.FLAG]
_ROWS = [place for place, kind in enumerate(_KINDS) if kind == shape.ROWS]
_META = _KINDS.index(shape.META)


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
