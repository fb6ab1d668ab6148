"""The user object of engage.md section 3 as the database itself writes it: the reads of the hot path.

A dict made of a row, and JSON made of that, take as long as finding the row; written by the query they take a tenth of
it. On SQLite a read takes 10 us less of 33, a page of 30 half. On Postgres, with the worker, a page takes 307 us of 860
(docs/performance.md). A test proves that the bytes are those of app/api/replies.py.
"""

import functools
import itertools
import operator
from collections.abc import Sequence
from typing import Any, NamedTuple

from app.models.database import Call, Statement, db
from app.models.dialects import Dialect
from app.models.shares import Share


class RenderedUser(NamedTuple):
    """A user: the id, and the user object as JSON."""

    id: str
    json: str


def _quoted(d: Dialect, column: str) -> str:
    return f"json_quote({column})" if d.name == "sqlite" else f"coalesce(to_json({column})::text, 'null')"


def _either(condition: str, yes: str = "'true'", no: str = "'false'") -> str:
    return f"CASE WHEN {condition} THEN {yes} ELSE {no} END"


def _time(d: Dialect, column: str) -> str:
    """SQL for `dates.render`, in quotes."""
    if d.name == "sqlite":
        return f"strftime('\"%Y-%m-%dT%H:%M:%f+00:00\"', {column} / 1000.0, 'unixepoch')"
    # A third quicker than to_char. The half of a millisecond has it write three digits and more, of which three stay.
    moment = f"to_json(timestamp 'epoch' + ({column} * 1000 + 500) * interval '1 microsecond')"
    return f"left({moment}::text, 24) || '+00:00\"'"


def _format(template: str, *values: str) -> str:
    return f"format('{template}', {', '.join(values)})"


_STATS = '{"delivered":0,"failed":0,"opened":0,"clicked":0,"unique_opens":0,"unique_clicks":0}'
_TABLES = {"devices": "devices", "accounts": "memberships", "lists": "subscriptions"}  # of what the object shows
_ACCOUNT = (
    "(SELECT account.uid FROM users AS account "
    "WHERE account.workspace_id = memberships.workspace_id AND account.id = memberships.account_id)"
)


def _sides(d: Dialect) -> dict[str, str]:
    """SQL for the JSON of a row of each side table."""
    subscribed = _either("subscriptions.status = 'subscribed'")
    return {
        "devices": _format('{"token":%s,"platform":%s}', _quoted(d, "devices.token"), _quoted(d, "devices.platform")),
        "accounts": _format('{"id":%s,"role":%s}', _quoted(d, _ACCOUNT), _quoted(d, "memberships.role")),
        "lists": _format('{"id":%s,"subscribed":%s}', _quoted(d, "subscriptions.list_id"), subscribed),
    }


def _arrays(d: Dialect) -> list[str]:
    """SQL for the arrays of the side tables of one user."""
    return [
        f"(SELECT '[' || coalesce(string_agg({json}, ',' ORDER BY {table}.position), '') || ']' FROM {table} "
        f"WHERE {table}.workspace_id = users.workspace_id AND {table}.user_id = users.id)"
        for json, table in zip(_sides(d).values(), _TABLES.values(), strict=True)
    ]


_NO_ARRAYS = ("'[]'",) * len(_TABLES)


def _json(d: Dialect, devices: str, accounts: str, lists: str) -> str:
    """SQL for the object, of SQL for the arrays of its side tables."""
    return _format(
        '{"id":"%s","uid":%s,"uid_updateable":%s,"first_name":%s,"last_name":%s,"number":%s,"email":%s,"devices":%s,'
        '"accounts":%s,"is_account":%s,"member_count":%s,"archived":%s,"lists":%s,"segments":[],"meta":%s,'
        f'"created_at":%s,"last_interaction":%s,"stats":{_STATS}}}',
        "users.id",
        _quoted(d, "users.uid"),
        _either("users.uid_updateable"),
        *[_quoted(d, f"users.{name}") for name in ("first_name", "last_name", "number", "email")],
        devices,
        accounts,
        _either("users.is_account"),
        _either("users.is_account", "CAST(users.member_count AS TEXT)", "'null'"),
        _either("users.archived_at IS NULL", "'false'", "'true'"),
        lists,
        # Of what jsonb writes this takes the spaces away, and nulls, of which meta has none.
        "users.meta" if d.name == "sqlite" else "json_strip_nulls(users.meta::json)",
        _time(d, "users.created_at"),
        f"coalesce({_time(d, 'users.last_interaction')}, 'null')",
    )


def _by_hand(d: Dialect) -> str:
    """SQL for whether app/api/replies.py must make the object.

    It must where the workspace has segments, as who is in which is decided elsewhere; on Postgres also where meta may
    have a number that it spells otherwise than it was sent: one with 16 digits, or below 0.0001.
    """
    segments = "EXISTS (SELECT 1 FROM segment_sets WHERE segment_sets.workspace_id = ?)"
    return segments if d.name == "sqlite" else f"({segments} OR users.meta::text ~ '[0-9]{{16}}|0[.]0000')"


def _placed(d: Dialect, text: str) -> str:
    """SQL with the placeholders of the driver, for which psycopg wants other percent signs doubled."""
    return text if d.name == "sqlite" else text.replace("%", "%%").replace("?", d.parameter)


def _find_each(d: Dialect) -> str:
    """Postgres looks into the side tables at once, for a second round trip costs more; SQLite only says whether to."""
    if d.name == "sqlite":
        json, has_sides = _json(d, *_NO_ARRAYS), " OR ".join(map(_HAS_ANY.format, _TABLES.values()))
    else:
        json, has_sides = _json(d, *_arrays(d)), "FALSE"
    return _placed(
        d,
        f"SELECT users.id, users.uid, {json}, {_by_hand(d)}, {has_sides} FROM users "
        f"WHERE users.workspace_id = ? AND users.uid {d.in_short_array}",
    )


_HAS_ANY = "EXISTS (SELECT 1 FROM {0} WHERE {0}.workspace_id = users.workspace_id AND {0}.user_id = users.id)"
_FIND_EACH = Statement(_find_each)


def find_call(workspace: int, uid: str) -> Share:
    """Return the call that finds the user of that uid, with the others of its moment.

    Its row is (id, uid, JSON, whether Python must make the object, whether side tables have anything for `complete`).
    16 users by one statement take SQLite 6 us each, by one of their own with the side tables in it 17.
    """
    return Share(_FIND_EACH, (workspace, workspace), uid, (uid,))


_Rows = Sequence[tuple[Any, ...]]


@functools.lru_cache
def _page_statement(count: int) -> Statement:
    """The statement for pages of a size: if that is open, Postgres plans each page anew, which takes longer than it."""
    return Statement(lambda d: _placed(d, _page(d, count)))


def _page(d: Dialect, count: int) -> str:
    """The page; where another statement costs more than WITH, with what side tables have of its users behind it."""
    behind = (  # the nearest one, as in app/models/keyset.py
        "(SELECT behind.id FROM users AS behind WHERE behind.workspace_id = ? AND behind.id <= ? "
        "AND behind.hidden_at IS NULL ORDER BY behind.id DESC LIMIT 1) IS NOT NULL"
    )
    page = (
        f"SELECT users.id AS id, {_json(d, *_NO_ARRAYS)} AS json, {_by_hand(d)} AS by_hand, {behind} AS behind "
        "FROM users WHERE users.workspace_id = ? AND users.id > ? AND users.hidden_at IS NULL "
        f"ORDER BY users.id LIMIT {count}"
    )
    if d.name == "sqlite":
        return page
    beside = _beside(d, "(SELECT first FROM bounds)", "(SELECT last FROM bounds)")
    return (
        f"WITH page AS MATERIALIZED ({page}), "
        "bounds AS MATERIALIZED (SELECT min(id) AS first, max(id) AS last FROM page) "
        "SELECT id, json, by_hand, behind, NULL, NULL FROM page "
        f"UNION ALL SELECT user_id, json, FALSE, FALSE, name, position FROM ({beside}) AS beside"
    )


def _beside(d: Dialect, first: str = "?", last: str = "?") -> str:
    # No aggregate, no ORDER BY, no join: with them SQLite takes 37 us to find nothing, and so 2.
    return " UNION ALL ".join(
        f"SELECT {table}.user_id, '{name}' AS name, {table}.position, {json} AS json FROM {table} "
        f"WHERE {table}.workspace_id = ? AND {table}.user_id >= {first} AND {table}.user_id <= {last}"
        for (name, json), table in zip(_sides(d).items(), _TABLES.values(), strict=True)
    )


_BESIDE = Statement(lambda d: _placed(d, _beside(d)))


def page_call(workspace: int, count: int, cursor: str | None) -> Call:
    """Return the call that finds up to `count` users beyond the cursor, nearest first; its rows are for `apart`."""
    beyond = (workspace, cursor or "")
    tables = 0 if db.dialect.name == "sqlite" else len(_TABLES)
    return Call(_page_statement(count), (workspace, *beyond, *beyond, *[workspace] * tables))


def beside_calls(workspace: int, page: _Rows) -> Sequence[Call]:
    """Return what is to be called for all that is beside the users of the rows of `page_call`, of the same snapshot."""
    if db.dialect.name != "sqlite" or not page:
        return ()
    return [beside_call(workspace, page[0][0], page[-1][0])]


def beside_call(workspace: int, first: str, last: str) -> Call:
    """Return the call that finds what side tables have of the users from one id to the other, for `complete`."""
    return Call(_BESIDE, (workspace, first, last) * len(_TABLES))


def apart(rows: _Rows, *beside_rows: _Rows) -> tuple[_Rows, _Rows]:
    """Return the users, and what there is beside them for `complete`, of the rows of `page_call` and `beside_calls`.

    A user's is (id, JSON, whether Python must make the object, whether a user is on the other side of the cursor).
    """
    if db.dialect.name == "sqlite":
        return rows, beside_rows[0]
    beside = [(id, name, position, json) for id, json, _, _, name, position in rows if name is not None]
    return rows[: len(rows) - len(beside)], beside


def complete(page: Sequence[tuple[Any, ...]], beside: Sequence[tuple[str, str, str, str]]) -> list[str]:
    """Return the JSON of users with what side tables have.

    page: rows that begin with (id, JSON). beside: those of `beside_call`, of the same snapshot.
    """
    texts = [user[1] for user in page]
    if not beside:
        return texts
    places = {user[0]: place for place, user in enumerate(page)}
    for (id, name), rows in itertools.groupby(sorted(beside), key=operator.itemgetter(0, 1)):
        if id in places:
            array = ",".join([json for *_, json in rows])
            # No value can hold such a text: its quotes would be escaped.
            texts[places[id]] = texts[places[id]].replace(f'"{name}":[]', f'"{name}":[{array}]', 1)
    return texts
