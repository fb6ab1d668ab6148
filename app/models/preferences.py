"""Notification preferences of customers."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson
import peewee

from app.models.database import BaseModel, Statement, db, write_many
from app.models.dialects import given
from app.models.users import dump


class Preferences(BaseModel):
    """The preferences of a user. `notifications` is day -> spans; time in epoch milliseconds."""

    workspace_id = peewee.BigIntegerField()
    user_id = peewee.TextField()
    timezone = peewee.TextField(null=True)
    notifications_enabled = peewee.BooleanField()
    notifications = peewee.JSONField()
    updated_at = peewee.BigIntegerField()

    class Meta:
        table_name = "preferences"
        primary_key = peewee.CompositeKey("workspace_id", "user_id")


class PreferencesRow(NamedTuple):
    """Preferences as stored; the default is for customers without any."""

    timezone: str | None = None
    notifications_enabled: bool = True
    notifications: Mapping[str, list[dict[str, str]]] = {}
    updated_at: int | None = None


_OF = Statement(
    lambda d: (
        f"SELECT user_id, timezone, notifications_enabled, {d.json_text.format('notifications')}, updated_at "
        f"FROM preferences WHERE workspace_id = ? AND user_id {d.in_array}"
    )
)
_COLUMNS = {
    "user_id": "text",
    "timezone": "text",
    "notifications_enabled": "boolean",
    "notifications": "jsonb",
    "updated_at": "bigint",
}
_SET = ", ".join(f"{name} = excluded.{name}" for name in list(_COLUMNS)[1:])
_PUT = Statement(
    lambda d: (
        f"INSERT INTO preferences (workspace_id, {', '.join(_COLUMNS)}) {given(d, 1, _COLUMNS, in_order=False)} "
        f"ON CONFLICT (workspace_id, user_id) DO UPDATE SET {_SET}"
    )
)


def of(workspace: int, user_ids: Sequence[str]) -> dict[str, PreferencesRow]:
    """Return {user id: preferences} of those of the users who have any."""
    return {id: _row(values) for id, *values in _OF(workspace, db.obj.array(user_ids))} if user_ids else {}


def _row(values: Sequence[Any]) -> PreferencesRow:
    timezone, enabled, notifications, updated_at = values
    return PreferencesRow(timezone, bool(enabled), orjson.loads(notifications), updated_at)


def put(workspace: int, preferences: Mapping[str, PreferencesRow]) -> None:
    """Store the preferences of locked users, {user id: preferences}, whole. Call in a transaction."""
    rows = [
        (id, one.timezone, one.notifications_enabled, dump(one.notifications), one.updated_at)
        for id, one in preferences.items()
    ]
    if rows:
        write_many(_PUT, (workspace,), list(zip(*rows, strict=True)))
