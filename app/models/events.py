"""Events, stored by user and time."""

import functools
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import orjson
import peewee

from app.models.database import BaseModel, Call, Statement, db, insert_new, run_all, transaction, unrepeated, write_many
from app.models.dialects import BYTE_BY_BYTE, Dialect, given
from app.models.erasures import erased_uids
from app.models.erasures.erased_uids import is_erased, may_have_events
from app.models.stores import Rows
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
    """Make the user if there is none, move last_interaction on. For SQLite."""
    return (
        "INSERT INTO users (workspace_id, created_at, id, uid, last_interaction) "
        f"{given(d, 2, {'id': 'text', 'uid': 'text', 'timestamp': 'bigint'})} ON CONFLICT (workspace_id, uid) "
        f"DO UPDATE SET last_interaction = {_latest(d)} WHERE users.archived_at IS NULL"
    )


def _latest(d: Dialect) -> str:
    return f"{d.greatest}(coalesce(users.last_interaction, excluded.last_interaction), excluded.last_interaction)"


_FIELDS = "INSERT INTO events (workspace_id, user_id, timestamp, id, event, value, properties)"


_CLAIM_ID = Statement(
    "INSERT INTO event_ids (workspace_id, id_hash) VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING id_hash"
)


_RELEASE_ID = Statement("DELETE FROM event_ids WHERE workspace_id = ? AND id_hash = ? RETURNING id_hash")


def _claim_ids(d: Dialect) -> str:
    rows = "SELECT ?1, value FROM json_each(?2) WHERE TRUE"
    if d.name == "postgres":  # in one order: so two transactions that want the same ids cannot block each other
        rows = f"{given(d, 1, {'id_hash': 'text'}, in_order=False)} ORDER BY given.id_hash {BYTE_BY_BYTE}"
    return f"INSERT INTO event_ids (workspace_id, id_hash) {rows} ON CONFLICT DO NOTHING RETURNING id_hash"


_CLAIM_IDS = Statement(_claim_ids)
_RELEASE_IDS = Statement(
    lambda d: f"DELETE FROM event_ids WHERE workspace_id = ? AND id_hash {d.in_array} RETURNING id_hash"
)


def claim_id(workspace: int, id_hash: str) -> bool:
    """Take the id that a caller gave an event (`names.hash_of`), for ever. Returns whether it was free."""
    return bool(_CLAIM_ID(workspace, id_hash))


def claim_ids(workspace: int, id_hashes: Collection[str]) -> set[str]:
    """Take many ids as `claim_id` does each; return those that were free."""
    return {id_hash for (id_hash,) in _CLAIM_IDS(workspace, db.array(list(id_hashes)))} if id_hashes else set()


def release_id(workspace: int, id_hash: str) -> None:
    """Give back the id of an event that was not stored. Call in the transaction that took it."""
    _RELEASE_ID(workspace, id_hash)


def release_ids(workspace: int, id_hashes: Collection[str]) -> None:
    """Give back many ids as `release_id` does each."""
    if id_hashes:
        _RELEASE_IDS(workspace, db.array(list(id_hashes)))


def _make_user(d: Dialect) -> str:
    columns = "workspace_id, created_at, id, uid"
    if d.name == "sqlite":
        return (
            f"INSERT INTO users ({columns}) SELECT ?1, ?2, ?3, ?4 WHERE {may_have_events(d, '?1', '?4', '?2')} "
            "ON CONFLICT (workspace_id, uid) DO NOTHING RETURNING id"
        )
    return (
        "WITH given AS (SELECT ?::bigint AS workspace_id, ?::bigint AS created_at, ?::text AS id, ?::text AS uid), "
        f"made AS (INSERT INTO users ({columns}) SELECT {columns} FROM given "
        f"WHERE {may_have_events(d, 'given.workspace_id', 'given.uid', 'given.created_at')} "
        f"ON CONFLICT (workspace_id, uid) DO NOTHING RETURNING {columns}) "
        "SELECT rollcall_refuse_erased(workspace_id, uid, created_at) FROM made"
    )


_MAKE_USER = Statement(_make_user)


def make_user(workspace: int, uid: str, new_user_id: str, now: int) -> None:
    """Make a bare user as an event would: where there is none, and the uid was not erased. Call in a transaction."""
    _MAKE_USER(workspace, now, new_user_id, uid)


def make_users(workspace: int, new_user_ids: Mapping[str, str], now: int) -> set[str]:
    """Make bare users as `make_user` does each; return the uids of those who are there and not archived.

    new_user_ids: uid -> the id of a new user.
    """
    if not new_user_ids:
        return set()
    uids = db.array(list(new_user_ids))
    missing = new_user_ids.keys() - {uid for uid, *_ in _FIND_ALL(workspace, uids)}
    for uid in sorted(missing):
        make_user(workspace, uid, new_user_ids[uid], now)
    return {uid for uid, _, archived_at in _FIND_ALL(workspace, uids) if archived_at is None}


# What `_RECORD_ALL` does at once on Postgres, for SQLite.
_TOUCH = Statement(_touch)
# Of the users who were just made: ?3 is their ids. To look at each before it is made took a seventh of an event.
_UNMAKE_ERASED = Statement(
    lambda d: (
        "DELETE FROM users WHERE workspace_id = ?1 AND EXISTS (SELECT 1 FROM erased_uids WHERE workspace_id = ?1) "
        "AND id IN (SELECT value FROM json_each(?3)) AND hidden_at IS NULL "
        f"AND {is_erased(d, '?1', 'users.uid', '?2')} RETURNING id"
    )
)
_INSERT = Statement(
    f"{_FIELDS} SELECT actor.workspace_id, actor.id, ?3, ?4, ?5, ?6, ?7 FROM users AS actor "
    "WHERE workspace_id = ?1 AND uid = ?2 AND archived_at IS NULL ON CONFLICT DO NOTHING"
)
_RULES = "(SELECT version FROM segment_sets WHERE segment_sets.workspace_id = ?1)"
# As the rows of `_RECORD_ALL`.
_TELL = Statement(
    f"SELECT {_RULES}, json_group_array(uid) "
    "FROM users WHERE workspace_id = ?1 AND uid IN (SELECT value FROM json_each(?2)) AND archived_at IS NULL"
)
# ?3 and ?4: the first and the last id of the users that this group may have made. uids are NULL: all are stored.
_TELL_OR_REFUSE = Statement(
    lambda d: (
        f"SELECT {_RULES}, NULL, CASE WHEN EXISTS (SELECT 1 FROM erased_uids WHERE workspace_id = ?1) AND EXISTS "
        "(SELECT 1 FROM users AS made WHERE workspace_id = ?1 AND id BETWEEN ?3 AND ?4 AND hidden_at IS NULL "
        f"AND {is_erased(d, '?1', 'made.uid', '?2')}) THEN refuse() END"
    )
)
_INSERT_OR_REFUSE = Statement(
    f"{_FIELDS} VALUES (?1, coalesce((SELECT id FROM users WHERE workspace_id = ?1 AND uid = ?2 "
    "AND archived_at IS NULL), refuse()), ?3, ?4, ?5, ?6, ?7)"
)


class Recording(NamedTuple):
    """An event of the user of that uid, who is made with the id given where there is none."""

    uid: str
    new_user_id: str
    event: EventRow


class Recorded(NamedTuple):
    """What became of events. rules: the version of the workspace's segments, None where there are none.

    uids: of those whose events are stored; the others are archived or were erased. None where all are stored.
    """

    rules: str | None
    uids: Collection[str] | None


def calls(workspace: int, now: int, recordings: Sequence[Recording]) -> list[Call]:
    """Return the calls that store the events, of which there is one at least.

    The event of an archived user, or about an erased uid, is not stored (engage.md section 4.3). It is one call where
    the database can do all at once; several want a transaction. now: epoch milliseconds, when users who are new are
    made.
    """
    uids, new_user_ids, happened = zip(*recordings, strict=True)
    columns = _columns(happened)
    if db.dialect.takes_arrays:
        return [Call(_RECORD_ALL, (workspace, now), [uids, new_user_ids, *columns])]
    return [
        Call(_TOUCH, (workspace, now), [new_user_ids, uids, columns[0]]),
        Call(_UNMAKE_ERASED, (workspace, now, db.array(new_user_ids))),
        Call(_INSERT, (workspace,), [uids, *columns]),
        Call(_TELL, (workspace, db.array(uids))),
    ]


def optimistic_calls(workspace: int, now: int, recordings: Sequence[Recording]) -> list[Call]:
    """As `calls`, but looking at less first: they fail with a conflict where an erased uid would have a user again.

    On SQLite also where a user is archived.
    """
    uids, new_user_ids, happened = zip(*recordings, strict=True)
    columns = _columns(happened)
    if db.dialect.takes_arrays:
        return [Call(_RECORD_OPTIMISTIC, (workspace, now), [uids, new_user_ids, *columns])]
    return [
        Call(_TOUCH, (workspace, now), [new_user_ids, uids, columns[0]]),
        Call(_INSERT_OR_REFUSE, (workspace,), [uids, *columns]),
        Call(_TELL_OR_REFUSE, (workspace, now, min(new_user_ids), max(new_user_ids))),
    ]


def recorded_in(rows: Sequence[Sequence[tuple[Any, ...]]]) -> Recorded:
    """Return what became of the events from the rows of `calls`."""
    rules, uids, *_ = rows[-1][0]
    return Recorded(rules, orjson.loads(uids) if isinstance(uids, str) else uids)


def record(workspace: int, uid: str, new_user_id: str, now: int, event: EventRow) -> Recorded:
    """Run the `calls` of an event and say what became of it. Raises errors.StorageUnavailable."""
    wanted = calls(workspace, now, [Recording(uid, new_user_id, event)])
    return recorded_in(_record_at_once(wanted[0]) if len(wanted) == 1 else _record(wanted))


@unrepeated
def _record_at_once(call: Call) -> list[list[tuple[Any, ...]]]:
    return run_all([call])


@transaction
def _record(wanted: list[Call]) -> list[list[tuple[Any, ...]]]:
    return run_all(wanted)


def record_all(workspace: int, now: int, recordings: Sequence[Recording]) -> Collection[str]:
    """Store many events as `record` would each of them; return the uids of those stored. Call in a transaction.

    The users are locked in the order of their uids. now: epoch milliseconds, when users who are new are made.
    """
    if db.dialect.takes_arrays:
        stored = recorded_in(run_all(calls(workspace, now, recordings))).uids
        return {one.uid for one in recordings} if stored is None else stored
    ids = _touch_all(workspace, now, recordings)
    chosen = [one for one in recordings if one.uid in ids]
    if chosen:
        write_many(
            _INSERT_ALL, (workspace,), [[ids[one.uid] for one in chosen], *_columns([one.event for one in chosen])]
        )
    return ids


def _touch_all(workspace: int, now: int, recordings: Sequence[Recording]) -> dict[str, str]:
    """Do on SQLite what `_touch` does for each user; return {uid: id} of those whose events are stored.

    An upsert that answers the ids would take twice as long.
    """
    latest: dict[str, tuple[str, int]] = {}
    for uid, new_user_id, event in recordings:
        if uid not in latest or latest[uid][1] < event.timestamp:
            latest[uid] = (new_user_id, event.timestamp)
    found = {uid: (id, archived_at) for uid, id, archived_at in _FIND_ALL(workspace, db.array(list(latest)))}
    new = [uid for uid in latest if uid not in found]
    erased = erased_uids.find(workspace, new, now)
    new = [uid for uid in new if uid not in erased]
    if new:
        ids, times = zip(*[latest[uid] for uid in new], strict=True)
        fixed = {"workspace_id": [workspace] * len(new), "created_at": [now] * len(new)}
        insert_new("users", Rows(fixed, id=ids, uid=new, last_interaction=times))
    known = sorted((id, latest[uid][1]) for uid, (id, archived_at) in found.items() if archived_at is None)
    if known:
        ids, times = zip(*known, strict=True)
        write_many(_MOVE_ON, (), [times, [workspace] * len(known), ids, times])
    active = {uid: id for uid, (id, archived_at) in found.items() if archived_at is None}
    return active | {uid: latest[uid][0] for uid in new}


def _columns(events: Sequence[EventRow]) -> list[Sequence[Any]]:
    ids, names, values, properties, timestamps = zip(*events, strict=True)
    return [timestamps, ids, names, list(map(_stored_value, values)), list(map(dump, properties))]


def _stored_value(value: str | float | bool | None) -> str | None:
    return None if value is None else dump(value)


_EVENT = {"timestamp": "bigint", "id": "text", "event": "text", "value": "jsonb", "properties": "jsonb"}
_FIND_ALL = Statement(lambda d: f"SELECT uid, id, archived_at FROM users WHERE workspace_id = ? AND uid {d.in_array}")
_MOVE_ON = Statement(
    "UPDATE users SET last_interaction = ? WHERE workspace_id = ? AND id = ? "
    "AND (last_interaction IS NULL OR last_interaction < ?)"
)


def _record_all(d: Dialect, is_optimistic: bool) -> str:
    """Touch the users, in the order of their uids, and store the events of those who are not archived or erased.

    The row is of Recorded. A statement that waited for an erasure to end would make its user anew, as it began before:
    `rollcall_refuse_erased` looks at each user it makes as things are then, and fails; is_optimistic leaves all to it.
    (SELECT ...) stands around the arrays, or Postgres would plan anew for each length.
    """
    may_be_made = may_have_events(d, "given.workspace_id", "given.uid", "given.created_at")
    columns = {"uid": "text", "new_user_id": "text", **_EVENT}
    arrays = ", ".join(f"(SELECT ?::{kind}[])" for kind in columns.values())
    touch = (
        "INSERT INTO users (workspace_id, created_at, id, uid, last_interaction) "
        "SELECT workspace_id, min(created_at), min(new_user_id), uid, max(timestamp) FROM given "
        f"{'' if is_optimistic else f'WHERE {may_be_made} '}GROUP BY workspace_id, uid ORDER BY uid {BYTE_BY_BYTE} "
        f"ON CONFLICT (workspace_id, uid) DO UPDATE SET last_interaction = {_latest(d)} "
        "WHERE users.archived_at IS NULL RETURNING workspace_id, id, uid"
    )
    insert = (
        f" {_FIELDS} SELECT actor.workspace_id, actor.id, {', '.join(f'given.{name}' for name in _EVENT)} "
        "FROM given JOIN actor ON actor.uid = given.uid WHERE CASE WHEN actor.id = given.new_user_id "
        "THEN rollcall_refuse_erased(given.workspace_id, given.uid, given.created_at) ELSE TRUE END "
        "ON CONFLICT DO NOTHING"
    )
    return (
        "WITH given AS (SELECT ?::bigint AS workspace_id, ?::bigint AS created_at, one.* "
        f"FROM unnest({arrays}) AS one ({', '.join(columns)})), actor AS ({touch}), recorded AS ({insert}) "
        "SELECT (SELECT version FROM segment_sets JOIN given ON segment_sets.workspace_id = given.workspace_id "
        "LIMIT 1), CASE WHEN (SELECT count(*) FROM actor) < (SELECT count(DISTINCT uid) FROM given) "
        "THEN array(SELECT uid FROM actor) END"
    )


_INSERT_ALL = Statement(lambda d: f"{_FIELDS} {given(d, 1, {'user_id': 'text', **_EVENT})} ON CONFLICT DO NOTHING")
_RECORD_ALL = Statement(lambda d: _record_all(d, is_optimistic=False))
_RECORD_OPTIMISTIC = Statement(lambda d: _record_all(d, is_optimistic=True))


@functools.cache
def _page_statement(conditions: tuple[str, ...]) -> Statement:
    return Statement(
        lambda d: (
            f"SELECT id, event, {d.json_text.format('value')}, {d.json_text.format('properties')}, timestamp "
            f"FROM events WHERE workspace_id = ? AND user_id = ?"
            + "".join(f" AND {condition}" for condition in conditions)
            + " ORDER BY timestamp DESC, id DESC LIMIT ?"
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
