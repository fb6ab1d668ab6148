"""Events: what users did, kept by user and time."""

import functools
import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import peewee

from app.models.database import BaseModel, Call, Statement, db, run_all, statement, transaction
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


_CLAIM_ID = Statement(
    lambda d: (
        f"INSERT INTO event_ids (workspace_id, id_hash) VALUES ({d.parameter}, {d.parameter}) "
        "ON CONFLICT DO NOTHING RETURNING id_hash"
    )
)


def claim_id(workspace: int, id: str) -> bool:
    """Take the id that a caller gave an event, for ever. Returns whether it was free."""
    return bool(_CLAIM_ID(workspace, hashlib.sha256(id.encode()).hexdigest()))


def _insert(d: Dialect, actor: str) -> str:
    return (
        f"{_FIELDS} SELECT {d.parameter}, actor.id, {d.parameter}, {d.parameter}, {d.parameter}, {d.json_parameter}, "
        f"{d.json_parameter} FROM {actor} ON CONFLICT DO NOTHING RETURNING id"
    )


_TOUCH = Statement(_touch)
_INSERT = Statement(
    lambda d: _insert(
        d, f"users AS actor WHERE workspace_id = {d.parameter} AND uid = {d.parameter} AND archived_at IS NULL"
    )
)
_RECORD = Statement(lambda d: f"WITH actor AS ({_touch(d)}) {_insert(d, 'actor')}")


def calls(workspace: int, uid: str, new_user_id: str, now: int, event: EventRow) -> list[Call]:
    """Return the calls that store the event of that uid's user, who is made with the id given where there is none.

    An archived user's event is dropped (engage.md section 4.3). The same event id again stores nothing more. It is
    one call where the database can do both at once; two want a transaction.
    """
    value = None if event.value is None else dump(event.value)
    stored = (event.timestamp, event.id, event.event, value, dump(event.properties))
    actor = (workspace, new_user_id, uid, now, event.timestamp)
    if db.dialect.writable_with:
        return [Call(_RECORD, (*actor, workspace, *stored))]
    return [Call(_TOUCH, actor), Call(_INSERT, (workspace, *stored, workspace, uid))]


def record(workspace: int, uid: str, new_user_id: str, now: int, event: EventRow) -> None:
    """Run the `calls` of an event. Raises errors.StorageUnavailable."""
    wanted = calls(workspace, uid, new_user_id, now, event)
    if len(wanted) == 1:
        _record_at_once(wanted[0])
    else:
        _record(wanted)


@statement
def _record_at_once(call: Call) -> None:
    call.statement(*call.parameters)


@transaction
def _record(wanted: list[Call]) -> None:
    run_all(wanted)


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
