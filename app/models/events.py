"""Events: what users did, kept by user and time."""

import functools
from collections.abc import Mapping
from typing import Any, NamedTuple

import peewee

from app.models.database import BaseModel, Statement, db, statement, transaction
from app.models.dialects import Dialect
from app.models.users import dump, load_flat


class Event(BaseModel):
    """Something a user did. `timestamp` is epoch milliseconds; `value` a JSON scalar or NULL."""

    workspace_id = peewee.BigIntegerField()
    user_id = peewee.TextField()
    timestamp = peewee.BigIntegerField()
    id = peewee.TextField()
    event = peewee.TextField()
    value = peewee.JSONField(null=True)
    properties = peewee.JSONField(default=dict)

    class Meta:
        table_name = "events"
        primary_key = peewee.CompositeKey("workspace_id", "user_id", "timestamp", "id")


class EventRow(NamedTuple):
    """An event as it is stored."""

    id: str
    event: str
    value: str | float | bool | None
    properties: dict[str, Any]
    timestamp: int


def _touch(d: Dialect) -> str:
    """Make the user if there is none, move last_interaction on; answers nothing when the user is archived."""
    latest = f"{d.greatest}(coalesce(users.last_interaction, excluded.last_interaction), excluded.last_interaction)"
    return (
        "INSERT INTO users (workspace_id, id, uid, created_at, last_interaction) "
        f"VALUES ({', '.join([d.parameter] * 5)}) ON CONFLICT (workspace_id, uid) "
        f"DO UPDATE SET last_interaction = {latest} WHERE users.archived_at IS NULL RETURNING id"
    )


_FIELDS = "INSERT INTO events (workspace_id, user_id, timestamp, id, event, value, properties)"
_TOUCH = Statement(_touch)
_INSERT = Statement(
    lambda d: (
        f"{_FIELDS} VALUES ({', '.join([d.parameter] * 5)}, {d.json_parameter}, {d.json_parameter}) "
        "ON CONFLICT DO NOTHING RETURNING id"
    )
)
_RECORD = Statement(  # both at once: one round trip, and a transaction by itself
    lambda d: (
        f"WITH actor AS ({_touch(d)}) {_FIELDS} "
        f"SELECT {d.parameter}, actor.id, {d.parameter}, {d.parameter}, {d.parameter}, {d.json_parameter}, "
        f"{d.json_parameter} FROM actor ON CONFLICT DO NOTHING RETURNING id"
    )
)


def record(workspace: int, uid: str, new_user_id: str, now: int, event: EventRow) -> None:
    """Store the event of that uid's user, who is made with the id given where there is none.

    An archived user's event is dropped (engage.md section 4.3). The same event id again stores nothing more.
    Raises errors.StorageUnavailable.
    """
    value = None if event.value is None else dump(event.value)
    stored = (event.timestamp, event.id, event.event, value, dump(event.properties))
    actor = (workspace, new_user_id, uid, now, event.timestamp)
    write = _record_in_one if db.dialect.writable_with else _record_in_two
    write(actor, workspace, stored)


@statement
def _record_in_one(actor: tuple[Any, ...], workspace: int, stored: tuple[Any, ...]) -> None:
    _RECORD(*actor, workspace, *stored)


@transaction
def _record_in_two(actor: tuple[Any, ...], workspace: int, stored: tuple[Any, ...]) -> None:
    found = _TOUCH(*actor)
    if found:
        _INSERT(workspace, found[0][0], *stored)


@functools.cache
def _page_statement(conditions: tuple[str, ...]) -> Statement:
    return Statement(
        lambda d: (
            f"SELECT id, event, {d.json_text.format('value')}, {d.json_text.format('properties')}, timestamp "
            f"FROM events WHERE workspace_id = {d.parameter} AND user_id = {d.parameter}"
            + "".join(f" AND {condition.replace('?', d.parameter)}" for condition in conditions)
            + f" ORDER BY timestamp DESC, id DESC LIMIT {d.parameter}"
        )
    )


_CONDITIONS = {
    "position": "(timestamp, id) < (?, ?)",
    "event": "event = ?",
    "since": "timestamp >= ?",
    "until": "timestamp < ?",
}


def page(workspace: int, user_id: str, count: int, filters: Mapping[str, tuple[Any, ...]]) -> list[EventRow]:
    """Return up to `count` events of the user, newest first.

    filters: any of position (epoch milliseconds, id of an event seen), event (name), since and until (epoch
    milliseconds; since itself is included, until is not), each as the tuple of its values.
    """
    run = _page_statement(tuple(_CONDITIONS[name] for name in filters))
    values = [value for chosen in filters.values() for value in chosen]
    return [_row(row) for row in run(workspace, user_id, *values, count)]


def _row(values: tuple[Any, ...]) -> EventRow:
    id, event, value, properties, timestamp = values
    return EventRow(id, event, load_flat(f'{{"v":{value}}}')["v"] if value else None, load_flat(properties), timestamp)
