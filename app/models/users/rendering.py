"""The user object of engage.md section 3 as the database itself writes it: the reads of the hot path.

A dict made of a row, and JSON made of that, take as long as finding the row; written by the query they take a tenth of
it. On SQLite a read takes 10 us less of 33, a page of 30 half. On Postgres, with the worker, a page takes 307 us of 860
(docs/performance.md). A test proves that the bytes are those of app/api/replies.py.
"""

import dataclasses
import functools
import itertools
import operator
from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from app.models.database import Call, Statement, db
from app.models.dialects import BYTE_BY_BYTE, POSTGRES, SQLITE, Dialect
from app.models.users.rows import UserRow, columns, row


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
    # A cast that cuts it off takes less than left().
    moment = f"to_json(timestamp 'epoch' + ({column} * 1000 + 500) * interval '1 microsecond')"
    return f"({moment}::text::varchar(24) || '+00:00\"')"


def _format(d: Dialect, template: str, *values: str) -> str:
    """SQL for a template with values, texts that are not NULL, in its places."""
    if d.name == "sqlite":
        return f"format('{template}', {', '.join(values)})"
    # Postgres takes its format() apart for each row: with a page of 30, 20 us more of 148, with the cut in `_time`.
    fixed = [f"'{part}'" if part else "" for part in template.split("%s")]
    return _joined([part for pair in itertools.zip_longest(fixed, values) for part in pair if part])


def _joined(parts: Sequence[str]) -> str:
    """SQL for texts one after the other; in halves, as each `||` copies what stands before it."""
    half = len(parts) // 2
    return f"({_joined(parts[:half])}||{_joined(parts[half:])})" if half else parts[0]


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
        for json, table in zip(_sides(d).values(), _TABLES.values(), strict=True)
    }
    return [f"CASE WHEN {_HAS_ANY.format(table)} THEN {array} ELSE '[]' END" for table, array in arrays.items()]


_HAS_ANY = "EXISTS (SELECT 1 FROM {0} WHERE {0}.workspace_id = users.workspace_id AND {0}.user_id = users.id)"


# The columns that the object shows, but for meta.
_SHOWN = (
    "id", "uid", "uid_updateable", "first_name", "last_name", "number", "email", "is_account", "member_count",
    "archived_at", "created_at", "last_interaction",
)  # fmt: skip
_NO_ARRAYS = ("'[]'",) * len(_TABLES)


def _json(d: Dialect, devices: str, accounts: str, lists: str) -> str:
    """SQL for the object, of SQL for the arrays of its side tables."""
    return _format(
        d,
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
        "users.meta" if d.name == "sqlite" else "json_strip_nulls(users.meta::json)::text",
        _time(d, "users.created_at"),
        f"coalesce({_time(d, 'users.last_interaction')}, 'null')",
    )


def _by_hand(d: Dialect) -> str:
    """SQL for whether app/api/replies.py must make the object.

    It must where the workspace has segments, as who is in which is decided elsewhere; on Postgres also where meta may
    have a number that it spells otherwise than it was sent: one with 16 digits, or below 0.0001.
    """
    segments = _has_segments("?")
    return segments if d.name == "sqlite" else f"({segments} OR users.meta::text ~ '{_SPELT_OTHERWISE}')"


def _has_segments(workspace: str) -> str:
    return f"EXISTS (SELECT 1 FROM segment_sets WHERE segment_sets.workspace_id = {workspace})"


_SPELT_OTHERWISE = "[0-9]{16}|0[.]0000"


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


_FIND_EACH = Statement(_find_each)


def find_call(workspace: int, uids: Sequence[str]) -> Call:
    """Return the call that finds the users of these uids.

    A row is (id, uid, JSON, whether Python must make the object, whether side tables have anything for `complete`).
    16 users by one statement take SQLite 6 us each, by one of their own with the side tables in it 17.
    """
    return Call(_FIND_EACH, (workspace, workspace, db.array(uids)))


def saved(d: Dialect) -> str:
    """SQL for one text of a user who was just written, for `saved_user`: the object, or what Python makes it of.

    It is the latter also where side tables have anything, which is so of few who are new.
    """
    by_hand = [_has_segments("users.workspace_id"), *map(_HAS_ANY.format, _TABLES.values())]
    if d.name == "sqlite":
        row = f"json_array({columns(_SQLITE_TEXTS)})"
    else:
        by_hand, row = [*by_hand, f"users.meta::text ~ '{_SPELT_OTHERWISE}'"], f"json_build_array({columns(d)})::text"
    return _placed(d, f"CASE WHEN {' OR '.join(by_hand)} THEN {row} ELSE {_json(d, *_NO_ARRAYS)} END")


# An array takes what a JSON function made for JSON, and else for a text, as which `row` wants it.
_SQLITE_TEXTS = dataclasses.replace(SQLITE, json_text="({} || '')", json_rows=f"({SQLITE.json_rows} || '')")


def saved_user(id: str, text: str) -> RenderedUser | UserRow:
    """Return the user whom a statement with `saved` answered."""
    return RenderedUser(id, text) if text[0] == "{" else row(orjson.loads(text))


_Rows = Sequence[tuple[Any, ...]]


@functools.lru_cache
def _page_statement(count: int) -> Statement:
    """The statement for pages of a size: if that is open, Postgres plans each page anew, which takes longer than it."""
    return Statement(lambda d: _placed(d, _page(count + 1) if d.name == "sqlite" else _pages(count)))


def _has_neighbour(workspace: str, condition: str, order: str = "") -> str:
    """SQL for whether a user is on that side; it looks for the nearest one, as in app/models/keyset.py."""
    return (
        f"(SELECT other.id FROM users AS other WHERE other.workspace_id = {workspace} AND other.id {condition} "
        f"AND other.hidden_at IS NULL ORDER BY other.id{order} LIMIT 1) IS NOT NULL"
    )


def _page(count: int) -> str:
    """The page on SQLite, a row each user."""
    d = SQLITE
    behind = _has_neighbour("?", "<= ?", " DESC")
    return (
        f"SELECT users.id, {_json(d, *_NO_ARRAYS)}, {_by_hand(d)}, {behind} "
        "FROM users WHERE users.workspace_id = ? AND users.id > ? AND users.hidden_at IS NULL "
        f"ORDER BY users.id LIMIT {count}"
    )


def _pages(count: int) -> str:
    """All pages of a moment on Postgres, a row each: the users in one text, and what side tables have beside them.

    30 rows a page took the worker most of its time. meta becomes text once, and is searched once for all: of the 214 us
    that Postgres took for a page, 16 at a time, 143 are left.
    """
    d = POSTGRES
    users = (
        f"SELECT {', '.join(f'users.{name}' for name in _SHOWN)}, users.meta::text AS meta FROM users "
        "WHERE users.workspace_id = asked.workspace_id AND users.id > after.id AND users.hidden_at IS NULL "
        f"ORDER BY users.id LIMIT {count}"
    )
    page = (  # of rows in order, which nothing comes between to change
        f"SELECT string_agg({_json(d, *_NO_ARRAYS)}, ',') AS json, min(users.id) AS first, max(users.id) AS last, "
        f"string_agg(users.meta, ' ') ~ '{_SPELT_OTHERWISE}' AS is_odd FROM ({users}) AS users"
    )
    beside = _beside(d, "asked.workspace_id", "page.first", "page.last")
    return (
        f"SELECT page.json, after.id, page.first, page.last, page.is_odd OR {_has_segments('asked.workspace_id')}, "
        f"{_has_neighbour('asked.workspace_id', '> page.last')}, "
        f"{_has_neighbour('asked.workspace_id', '<= after.id', ' DESC')}, "
        f"(SELECT json_agg(json_build_array(user_id, name, position, json))::text FROM ({beside}) AS beside) "
        f"FROM (SELECT ?::bigint AS workspace_id) AS asked, "
        f"(SELECT one.id {BYTE_BY_BYTE} AS id FROM unnest((SELECT ?::text[])::text[]) AS one (id)) AS after "
        f"CROSS JOIN LATERAL ({page}) AS page"
    )


def _beside(d: Dialect, workspace: str = "?", first: str = "?", last: str = "?") -> str:
    # No aggregate, no ORDER BY, no join: with them SQLite takes 37 us to find nothing, and so 2.
    return " UNION ALL ".join(
        f"SELECT {table}.user_id, '{name}' AS name, {table}.position, {json} AS json FROM {table} "
        f"WHERE {table}.workspace_id = {workspace} AND {table}.user_id >= {first} AND {table}.user_id <= {last}"
        for (name, json), table in zip(_sides(d).items(), _TABLES.values(), strict=True)
    )


_BESIDE = Statement(lambda d: _placed(d, _beside(d)))


def beside_call(workspace: int, first: str, last: str) -> Call:
    """Return the call that finds what side tables have of the users from one id to the other, for `complete`."""
    return Call(_BESIDE, (workspace, first, last) * len(_TABLES))


def page_calls(workspace: int, count: int, cursors: Sequence[str]) -> list[Call]:
    """Return the calls that find up to `count` users beyond each cursor; their rows are for `pages_of`.

    A cursor: the id of the last user before the page, "" for the first one.
    """
    if db.dialect.takes_arrays:
        return [Call(_page_statement(count), (workspace,), [cursors])]
    return [Call(_page_statement(count), (workspace, workspace, after, workspace, after)) for after in cursors]


class RenderedPage(NamedTuple):
    """Users in the order of their ids, and whether there are others around them.

    users: their JSON, of each or of all with commas between. first, last: ids. is_by_hand: whether Python must make the
    objects. beside: as `complete` takes it, None where it is still to be asked for by `beside_call`.
    """

    users: list[str]
    first: str
    last: str
    is_by_hand: bool
    has_next: bool
    has_previous: bool
    beside: _Rows | None

    def complete(self, beside: _Rows) -> list[str]:
        """Return the JSON of the users with what side tables have."""
        if not beside:
            return self.users
        # Of many in one text: no value can hold what parts them, for its quotes would be escaped.
        each = [one for text in self.users for one in text.replace('},{"id":"', '}\n{"id":"').split("\n")]
        return complete([(one[7 : one.index('"', 7)], one) for one in each], beside)


def pages_of(found: Sequence[_Rows], count: int, cursors: Sequence[str]) -> list[RenderedPage | None]:
    """Return the page of each cursor of the rows of `page_calls`, None if nobody is on it."""
    if db.dialect.takes_arrays:
        by_cursor = {row[1]: row for row in found[0]}
        return [_page_in_one(by_cursor[after]) for after in cursors]
    return [_page_in_rows(rows, count) for rows in found]


def _page_in_one(row: tuple[Any, ...]) -> RenderedPage | None:
    json, _, first, last, is_by_hand, has_next, has_previous, beside = row
    if json is None:
        return None
    return RenderedPage([json], first, last, is_by_hand, has_next, has_previous, orjson.loads(beside or "[]"))


def _page_in_rows(rows: _Rows, count: int) -> RenderedPage | None:
    if not rows:
        return None
    ids, texts, by_hand, behind = zip(*rows[:count], strict=True)
    return RenderedPage(list(texts), ids[0], ids[-1], bool(by_hand[0]), len(rows) > count, bool(behind[0]), None)


def complete(page: Sequence[tuple[Any, ...]], beside: _Rows) -> list[str]:
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
