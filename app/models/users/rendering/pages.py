"""Render pages of users, and the rows of side tables beside them."""

import functools
import itertools
import operator
from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from app.models.database import Call, Statement, db
from app.models.dialects import BYTE_BY_BYTE, Dialect
from app.models.users.rendering.objects import (
    NO_ARRAYS,
    SHOWN,
    SPELT_OTHERWISE,
    TABLES,
    has_segments,
    made_by_hand,
    object_json,
    side_rows,
)

_Rows = Sequence[tuple[Any, ...]]


@functools.lru_cache
def _page_statement(count: int) -> Statement:
    """The statement for pages of a size: if that is open, Postgres plans each page anew, which takes longer than it."""
    return Statement(lambda d: _page(d, count + 1) if d.name == "sqlite" else _pages(d, count))


def _has_neighbour(workspace: str, condition: str, order: str = "") -> str:
    """SQL for whether a user is on that side; it looks for the nearest one, as in app/models/keyset.py."""
    return (
        f"(SELECT other.id FROM users AS other WHERE other.workspace_id = {workspace} AND other.id {condition} "
        f"AND other.hidden_at IS NULL ORDER BY other.id{order} LIMIT 1) IS NOT NULL"
    )


def _page(d: Dialect, count: int) -> str:
    """The page on SQLite, a row of one column for each user: every further column costs time in each row."""
    return (
        f"SELECT {object_json(d, *NO_ARRAYS)} FROM users "
        "WHERE users.workspace_id = ? AND users.id > ? AND users.hidden_at IS NULL "
        f"ORDER BY users.id LIMIT {count}"
    )


# Of a page on SQLite: whether Python must make its objects, and whether somebody is before it.
_AROUND = Statement(lambda d: f"SELECT {made_by_hand(d)}, {_has_neighbour('?', '<= ?', ' DESC')}")


def _pages(d: Dialect, count: int) -> str:
    """All pages of a group on Postgres, one row each: the users in one text, and the rows of side tables.

    One row in place of 30 saves the worker most of its time; meta becomes text once, and is searched once for all.
    """
    users = (
        f"SELECT {', '.join(f'users.{name}' for name in SHOWN)}, users.meta::text AS meta FROM users "
        "WHERE users.workspace_id = asked.workspace_id AND users.id > after.id AND users.hidden_at IS NULL "
        f"ORDER BY users.id LIMIT {count}"
    )
    page = (  # of rows in order, which nothing comes between to change
        f"SELECT string_agg({object_json(d, *NO_ARRAYS)}, ',') AS json, min(users.id) AS first, max(users.id) AS last, "
        f"string_agg(users.meta, ' ') ~ '{SPELT_OTHERWISE}' AS is_odd FROM ({users}) AS users"
    )
    beside = _beside(d, "asked.workspace_id", "page.first", "page.last")
    return (
        f"SELECT page.json, after.id, page.first, page.last, page.is_odd OR {has_segments('asked.workspace_id')}, "
        f"{_has_neighbour('asked.workspace_id', '> page.last')}, "
        f"{_has_neighbour('asked.workspace_id', '<= after.id', ' DESC')}, "
        f"(SELECT json_agg(json_build_array(user_id, name, position, json))::text FROM ({beside}) AS beside) "
        f"FROM (SELECT ?::bigint AS workspace_id) AS asked, "
        f"(SELECT one.id {BYTE_BY_BYTE} AS id FROM unnest((SELECT ?::text[])::text[]) AS one (id)) AS after "
        f"CROSS JOIN LATERAL ({page}) AS page"
    )


def _beside(d: Dialect, workspace: str = "?", first: str = "?", last: str = "?") -> str:
    # No aggregate, no ORDER BY, no join: with them SQLite is slow even where it finds nothing.
    return " UNION ALL ".join(
        f"SELECT {table}.user_id, '{name}' AS name, {table}.position, {json} AS json FROM {table} "
        f"WHERE {table}.workspace_id = {workspace} AND {table}.user_id >= {first} AND {table}.user_id <= {last}"
        for (name, json), table in zip(side_rows(d).items(), TABLES.values(), strict=True)
    )


_BESIDE = Statement(_beside)


def beside_call(workspace: int, first: str, last: str) -> Call:
    """Return the call that finds what side tables have of the users from one id to the other, for `RenderedPage`."""
    return Call(_BESIDE, (workspace, first, last) * len(TABLES))


def page_calls(workspace: int, count: int, cursors: Sequence[str]) -> list[Call]:
    """Return the calls that find up to `count` users beyond each cursor; their rows are for `pages_of`.

    A cursor: the id of the last user before the page, "" for the first one.
    """
    if db.dialect.takes_arrays:
        return [Call(_page_statement(count), (workspace,), [cursors])]
    page = _page_statement(count)
    pairs = [(Call(page, (workspace, after)), Call(_AROUND, (workspace, workspace, after))) for after in cursors]
    return [call for pair in pairs for call in pair]


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
        """Return the JSON of the users with what side tables have: the rows of `beside_call`, of the same snapshot."""
        if not beside:
            return self.users
        # No value can hold what is looked for here, for its quotes would be escaped.
        each = [one for text in self.users for one in text.replace('},{"id":"', '}\n{"id":"').split("\n")]
        users = {_id_of(one): one for one in each}
        for (id, name), rows in itertools.groupby(sorted(beside), key=operator.itemgetter(0, 1)):
            if id in users:
                array = ",".join([json for *_, json in rows])
                users[id] = users[id].replace(f'"{name}":[]', f'"{name}":[{array}]', 1)
        return list(users.values())


def pages_of(found: Sequence[_Rows], count: int, cursors: Sequence[str]) -> list[RenderedPage | None]:
    """Return the page of each cursor of the rows of `page_calls`, None if nobody is on it."""
    if db.dialect.takes_arrays:
        by_cursor = {row[1]: row for row in found[0]}
        return [_page_in_one(by_cursor[after]) for after in cursors]
    return [_page_in_rows(*pair, count) for pair in zip(found[::2], found[1::2], strict=True)]


def _page_in_one(row: tuple[Any, ...]) -> RenderedPage | None:
    json, _, first, last, is_by_hand, has_next, has_previous, beside = row
    if json is None:
        return None
    return RenderedPage([json], first, last, is_by_hand, has_next, has_previous, orjson.loads(beside or "[]"))


def _page_in_rows(rows: _Rows, around: _Rows, count: int) -> RenderedPage | None:
    if not rows:
        return None
    texts, [(is_by_hand, is_behind)] = [text for (text,) in rows[:count]], around
    first, last = _id_of(texts[0]), _id_of(texts[-1])
    return RenderedPage(texts, first, last, bool(is_by_hand), len(rows) > count, bool(is_behind), None)


def _id_of(user: str) -> str:
    return user[7 : user.index('"', 7)]  # behind {"id":"
