"""Render one user."""

import dataclasses
import itertools
from collections.abc import Sequence

import orjson

from app.domain import shape
from app.domain.shape import UserRow
from app.models.database import Call, Statement, db
from app.models.dialects import SQLITE, Dialect
from app.models.users.rows import columns, row


def _quoted(d: Dialect, column: str) -> str:
    return f"json_quote({column})" if d.name == "sqlite" else f"coalesce(to_json({column})::text, 'null')"


def _either(condition: str, yes: str = "'true'", no: str = "'false'") -> str:
    return f"CASE WHEN {condition} THEN {yes} ELSE {no} END"


def _time(d: Dialect, column: str) -> str:
    """SQL for `dates.render`, in quotes."""
    if d.name == "sqlite":
        # strftime takes its format apart for each row.
        moment = f"{column} / 1000.0, 'unixepoch'"
        return f"('\"' || date({moment}) || 'T' || time({moment}, 'subsec') || '+00:00\"')"
    # Quicker than to_char. The half of a millisecond has it write three digits and more, of which the cast keeps three.
    moment = f"to_json(timestamp 'epoch' + ({column} * 1000 + 500) * interval '1 microsecond')"
    return f"({moment}::text::varchar(24) || '+00:00\"')"


def _format(d: Dialect, template: str, *values: str) -> str:
    """SQL for a template with values, texts that are not NULL, in its places."""
    if d.name == "sqlite":
        return f"format('{template}', {', '.join(values)})"
    # Postgres takes its format() apart for each row.
    fixed = [f"'{part}'" if part else "" for part in template.split("%s")]
    return _joined([part for pair in itertools.zip_longest(fixed, values) for part in pair if part])


def _joined(parts: Sequence[str]) -> str:
    """SQL for texts one after the other; in halves, as each `||` copies what stands before it."""
    half = len(parts) // 2
    return f"({_joined(parts[:half])}||{_joined(parts[half:])})" if half else parts[0]


TABLES = {"devices": "devices", "accounts": "memberships", "lists": "subscriptions"}  # of what the object shows
_ACCOUNT = (
    "(SELECT account.uid FROM users AS account "
    "WHERE account.workspace_id = memberships.workspace_id AND account.id = memberships.account_id)"
)


def side_rows(d: Dialect) -> dict[str, str]:
    """SQL for the JSON of a row of each side table."""
    subscribed = (
        "CASE subscriptions.status WHEN 'subscribed' THEN 'true' WHEN 'pending' THEN 'false,\"pending\":true' "
        "ELSE 'false' END"
    )
    return {
        "devices": _format(
            d, '{"token":%s,"platform":%s}', _quoted(d, "devices.token"), _quoted(d, "devices.platform")
        ),
        "accounts": _format(d, '{"id":%s,"role":%s}', _quoted(d, _ACCOUNT), _quoted(d, "memberships.role")),
        "lists": _format(d, '{"id":%s,"subscribed":%s}', _quoted(d, "subscriptions.list_id"), subscribed),
    }


def _arrays(d: Dialect) -> list[str]:
    """SQL for the arrays of the side tables of one user.

    Most tables have nothing of a user, and to see that takes less than to aggregate nothing.
    """
    arrays = {
        table: f"(SELECT '[' || string_agg({json}, ',' ORDER BY {table}.position) || ']' FROM {table} "
        f"WHERE {table}.workspace_id = users.workspace_id AND {table}.user_id = users.id)"
        for json, table in zip(side_rows(d).values(), TABLES.values(), strict=True)
    }
    return [f"CASE WHEN {_HAS_ANY.format(table)} THEN {array} ELSE '[]' END" for table, array in arrays.items()]


_HAS_ANY = "EXISTS (SELECT 1 FROM {0} WHERE {0}.workspace_id = users.workspace_id AND {0}.user_id = users.id)"


# The columns that the object shows, but for meta.
SHOWN = [name for name, field in shape.FIELDS.items() if field.kind not in (shape.ROWS, shape.META)]
NO_ARRAYS = ("'[]'",) * len(TABLES)


def object_json(d: Dialect, devices: str, accounts: str, lists: str) -> str:
    """SQL for the object, of SQL for the arrays of its side tables."""
    arrays = {"devices": devices, "accounts": accounts, "lists": lists}
    template, values = [], []
    for name, field in shape.FIELDS.items():
        is_here = field.kind != shape.ROWS or name in arrays
        place = '"%s"' if field.kind == shape.ID else "%s" if is_here else "[]"
        template.append(f'"{field.shown_as or name}":{place}')
        if is_here:
            values.append(arrays[name] if field.kind == shape.ROWS else _member(d, field, f"users.{name}"))
    template.append(f'"stats":{orjson.dumps(shape.STATS).decode()}')
    return _format(d, f"{{{','.join(template)}}}", *values)


def _member(d: Dialect, field: shape.Field, column: str) -> str:
    """SQL for the value of a column in JSON, a text that is not NULL; an id stands in quotes already."""
    if field.kind == shape.TIME:
        return f"coalesce({_time(d, column)}, 'null')" if field.is_nullable else _time(d, column)
    if field.kind == shape.META:  # of what jsonb writes this takes the spaces away, and nulls, of which meta has none
        return column if d.name == "sqlite" else f"json_strip_nulls({column}::json)::text"
    found = {
        shape.ID: column,
        shape.TEXT: _quoted(d, column),
        shape.FLAG: _either(column),
        shape.COUNT: _either("users.is_account", f"CAST({column} AS TEXT)", "'null'"),
        shape.PRESENCE: _either(f"{column} IS NULL", "'false'", "'true'"),
    }
    return found[field.kind]


def made_by_hand(d: Dialect) -> str:
    """SQL for whether app/api/replies.py must make the object.

    It must where the workspace has segments, as who is in which is decided elsewhere; on Postgres also where meta may
    have a number that it spells otherwise than it was sent: one with 16 digits, or below 0.0001.
    """
    segments = has_segments("?")
    return segments if d.name == "sqlite" else f"({segments} OR users.meta::text ~ '{SPELT_OTHERWISE}')"


def has_segments(workspace: str) -> str:
    """SQL for whether the workspace, which is SQL itself, has segments."""
    return f"EXISTS (SELECT 1 FROM segment_sets WHERE segment_sets.workspace_id = {workspace})"


SPELT_OTHERWISE = "[0-9]{16}|0[.]0000"


def _find(d: Dialect, condition: str) -> str:
    return (
        f"SELECT users.uid, {object_json(d, *_arrays(d))}, {made_by_hand(d)} FROM users "
        f"WHERE users.workspace_id = ? AND users.uid {condition}"
    )


_FIND_ONE = Statement(lambda d: _find(d, "= ?"))
_FIND_EACH = Statement(lambda d: _find(d, d.in_short_array))


def find_call(workspace: int, uids: Sequence[str]) -> Call:
    """Return the call that finds the users of these uids.

    A row is (uid, JSON, whether Python must make the object).
    """
    if len(uids) == 1:
        return Call(_FIND_ONE, (workspace, workspace, uids[0]))
    return Call(_FIND_EACH, (workspace, workspace, db.array(uids)))


def saved(d: Dialect) -> str:
    """SQL for one text of a user who was just written, for `saved_user`: the object, or what Python makes it of.

    It is the latter also where side tables have anything, which is so of few who are new.
    """
    by_hand = [has_segments("users.workspace_id"), *map(_HAS_ANY.format, TABLES.values())]
    if d.name == "sqlite":
        row = f"json_array({columns(_SQLITE_TEXTS)})"
    else:
        by_hand, row = [*by_hand, f"users.meta::text ~ '{SPELT_OTHERWISE}'"], f"json_build_array({columns(d)})::text"
    return f"CASE WHEN {' OR '.join(by_hand)} THEN {row} ELSE {object_json(d, *NO_ARRAYS)} END"


# An array takes what a JSON function made for JSON, and else for a text, as which `row` wants it.
_SQLITE_TEXTS = dataclasses.replace(SQLITE, json_text="({} || '')", json_rows=f"({SQLITE.json_rows} || '')")


def saved_user(text: str) -> str | UserRow:
    """Return the user whom a statement with `saved` answered: as JSON, or what Python makes that of."""
    return text if text[0] == "{" else row(orjson.loads(text))
