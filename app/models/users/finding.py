"""Find users: by uid, by filters, page by page."""

import functools
import re
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, cast

import orjson

from app.domain.contacts import key_of_email, key_of_number
from app.domain.shape import UserRow
from app.models.database import Call, Statement, db
from app.models.keyset import Filter, Keyset
from app.models.users.rows import columns, dump, json_path, load_flat, row

_FIND = Statement(lambda d: f"SELECT {columns(d)} FROM users WHERE workspace_id = ? AND uid = ?")


def find(workspace: int, uid: str) -> UserRow | None:
    """Return the user of that uid."""
    rows = _FIND(workspace, uid)
    return row(rows[0]) if rows else None


def find_call(workspace: int, uids: Sequence[str]) -> Call:
    """Return the call of `find` for many; its rows are what `row` takes."""
    return Call(_FIND_EACH, (workspace, db.array(uids)))


_FIND_EACH = Statement(lambda d: f"SELECT {columns(d)} FROM users WHERE workspace_id = ? AND uid {d.in_short_array}")


_FIND_ID = Statement("SELECT id, archived_at FROM users WHERE workspace_id = ? AND uid = ?")


def find_id(workspace: int, uid: str) -> str | None:
    """Return the id of the user of that uid."""
    rows = _FIND_ID(workspace, uid)
    return rows[0][0] if rows else None


@functools.cache
def _find_all_statement(count: int) -> Statement:
    return Statement(
        lambda d: (
            f"SELECT {columns(d)} FROM users WHERE workspace_id = ? "
            f"AND id IN ({', '.join('?' * count)}) AND hidden_at IS NULL"
        )
    )


_NEWEST_ID = Statement("SELECT max(id) FROM users WHERE workspace_id = ?")


def newest_id(workspace: int) -> str | None:
    """Return the greatest id of a user, one who waits to be erased included; None where there is nobody."""
    return cast("str | None", _NEWEST_ID(workspace)[0][0])


def find_all(workspace: int, ids: Sequence[str]) -> list[UserRow]:
    """Return the users of these ids who are there, in any order.

    ids: a page of them, as each number makes a statement of its own.
    """
    return [row(values) for values in _find_all_statement(len(ids))(workspace, *ids)] if ids else []


class ProfileRow(NamedTuple):
    """What a user's profile is made of."""

    id: str
    uid: str
    first_name: str | None
    last_name: str | None
    number: str | None
    email: str | None
    meta: dict[str, Any]


_FIND_PROFILES = Statement(
    lambda d: (
        f"SELECT id, uid, first_name, last_name, number, email, {d.json_text.format('meta')} "
        f"FROM users WHERE workspace_id = ? AND uid {d.in_array}"
    )
)


def find_profiles(workspace: int, uids: Sequence[str]) -> dict[str, ProfileRow]:
    """Return {uid: what its profile is made of} of those of the uids that exist, in one statement."""
    rows = _FIND_PROFILES(workspace, db.obj.array(uids)) if uids else []
    return {one[1]: ProfileRow._make((*one[:-1], load_flat(one[-1]))) for one in rows}


_PAGE = Keyset("users", columns)
_SHOWN = Filter("{row}.hidden_at IS NULL", ())  # who waits to be erased is nobody any more


def page(count: int, filters: Sequence[Filter], cursor: str | None, descending: bool) -> tuple[list[UserRow], bool]:
    """Return up to `count` users beyond the cursor, nearest first, and whether there is one on its other side.

    filters: `of_workspace` and any that `by` makes. cursor, descending: as Keyset says.
    """
    rows, behind = _PAGE(count, [*filters, _SHOWN], cursor, descending)
    return [row(values) for values in rows], behind


def page_in_time(
    count: int, filters: Sequence[Filter], cursor: str | None, descending: bool
) -> tuple[list[UserRow], bool] | None:
    """Return what `page` does, None where SQLite would take too long: its filters meet few users among many."""
    if db.obj.dialect.name == "postgres" or not filters[1:]:  # Postgres has ROLLCALL_STATEMENT_TIMEOUT
        return page(count, filters, cursor, descending)
    call = _PAGE.call(count, [*filters, _SHOWN], cursor, descending)
    rows = db.obj.run_within(call.statement.text, call.parameters, PAGE_MILLISECONDS)
    return None if rows is None else ([row(values[1:]) for values in rows], bool(rows and rows[0][0]))


PAGE_MILLISECONDS = 80  # that the statement of a page may take on SQLite, and all windows of one together
_WINDOW = 2_000  # users that a statement of a window looks at


def page_in_windows(
    count: int, filters: Sequence[Filter], cursor: str | None, descending: bool
) -> tuple[list[UserRow], str | None]:
    """Return up to `count` users beyond the cursor, nearest first, and how far was looked: None for to the end.

    It ends at the id answered when its time is up, with fewer users than there are. The rest is as in `page`.
    """
    beyond, within = ("<", ">=") if descending else (">", "<=")
    end = time.monotonic() + PAGE_MILLISECONDS / 1000
    found: list[UserRow] = []
    while True:
        bound = _bound(filters[0].values[0], cursor, descending)
        window = [Filter(f"{{row}}.id {beyond} ?", (cursor,))] if cursor else []
        window += [Filter(f"{{row}}.id {within} ?", (bound,))] if bound else []
        found += page(count - len(found), [*filters, *window], None, descending)[0]
        if len(found) == count or bound is None:
            return found, None
        if time.monotonic() > end:
            return found, bound
        cursor = bound


def _bound(workspace: int, cursor: str | None, descending: bool) -> str | None:
    """Return the last id of the window beyond the cursor; None where fewer users are left."""
    rows = _BOUNDS[cursor is not None, descending](workspace, *([cursor] if cursor else []), _WINDOW - 1)
    return str(rows[0][0]) if rows else None


def _bound_statement(bounded: bool, descending: bool) -> Statement:
    beyond, order = ("<", " DESC") if descending else (">", "")
    condition = f" AND id {beyond} ?" if bounded else ""
    text = f"SELECT id FROM users WHERE workspace_id = ?{condition} ORDER BY id{order} LIMIT 1 OFFSET ?"
    return Statement(text)


_BOUNDS = {(bounded, down): _bound_statement(bounded, down) for bounded in (False, True) for down in (False, True)}


def page_call(count: int, filters: Sequence[Filter], cursor: str | None) -> Call:
    """Return the call of `page`, ascending; its rows have what `row` takes after whether there is one behind."""
    return _PAGE.call(count, [*filters, _SHOWN], cursor, descending=False)


def by(name: str, value: Any) -> Filter:
    """Return the filter of that name.

    email, number: text, compared as two spellings of it are. is_account, archived: bool. created_since (included),
    created_until (not included): epoch milliseconds. lists: ids, subscribed or pending on any of them.
    """
    if name == "email":
        return Filter("{row}.email_key = ?", (key_of_email(value),))
    if name == "number":
        return Filter("{row}.number_digits = ?", (key_of_number(value),))
    if name == "lists":
        places = ", ".join("?" * len(value))
        return Filter(
            "EXISTS (SELECT 1 FROM subscriptions AS s WHERE s.workspace_id = {row}.workspace_id "
            f"AND s.user_id = {{row}}.id AND s.list_id IN ({places}) AND s.status <> 'unsubscribed')",
            tuple(value),
        )
    if name == "archived":
        return Filter(f"{{row}}.archived_at IS {'NOT ' if value else ''}NULL", ())
    return Filter(_COMPARISONS[name], (value,))


_COMPARISONS = {
    "is_account": "{row}.is_account = ?",
    "created_since": "{row}.created_at >= ?",
    "created_until": "{row}.created_at < ?",
}


def by_meta(key: str, text: str) -> Filter:
    """Return the filter for an attribute: equal to the text, or to the number or boolean that the text spells."""
    spelt = orjson.loads(text) if _SPELLS_SCALAR.fullmatch(text) else text
    wanted = [text] if spelt is text or spelt == text else [text, spelt]
    if db.dialect.name == "postgres":
        conditions = " OR ".join(["{row}.meta @> ?::jsonb"] * len(wanted))
        return Filter(f"({conditions})", tuple(dump({key: one}) for one in wanted))
    path = json_path(key)
    found = [_sqlite_equals(path, one) for one in wanted]
    return Filter(
        "(" + " OR ".join(one.condition for one in found) + ")", tuple(value for one in found for value in one.values)
    )


_SPELLS_SCALAR = re.compile(r"true|false|-?(0|[1-9][0-9]{0,15})(\.[0-9]{1,15})?")


def _sqlite_equals(path: str, value: Any) -> Filter:
    if isinstance(value, bool):
        return Filter("json_type({row}.meta, ?) = ?", (path, "true" if value else "false"))
    kinds = "'text'" if isinstance(value, str) else "'integer', 'real'"
    return Filter(
        f"(json_type({{row}}.meta, ?) IN ({kinds}) AND json_extract({{row}}.meta, ?) = ?)", (path, path, value)
    )


_IS_KNOWN = Statement(
    "SELECT 1 FROM users WHERE workspace_id = ? AND id = ? "
    "AND hidden_at IS NULL AND (email IS NOT NULL OR number IS NOT NULL)"
)


def is_known(workspace: int, id: str) -> bool:
    """Return True if the user has an email or a number."""
    return bool(_IS_KNOWN(workspace, id))


# SQLite took the primary key, and looked at all users to find none: 20 ms of a batch among 100,000.
_HAS_UPDATEABLE = Statement(
    lambda d: (
        f"SELECT 1 FROM users{d.indexed_by.format('claims_by_email')} WHERE workspace_id = ? AND uid_updateable LIMIT 1"
    )
)


def has_updateable(workspace: int) -> bool:
    """Return True if there is any user without a uid of its own."""
    return bool(_HAS_UPDATEABLE(workspace))


def _claimants_statement(column: str) -> Statement:
    return Statement(f"SELECT id FROM users WHERE workspace_id = ? AND {column} = ? AND uid_updateable LIMIT 2")


_CLAIMANTS = {column: _claimants_statement(column) for column in ("email_key", "number_digits")}


def claimants(workspace: int, changes: Mapping[str, Any]) -> list[str]:
    """Return the ids of up to two users without a uid of their own who have the email given, else the number given."""
    keys = keys_of(changes)
    return [id for (id,) in _CLAIMANTS[keys[0][0]](workspace, keys[0][1])] if keys else []


def keys_of(changes: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return (column, value) of the email and the number given; a claim goes by the first."""
    keys = [("email_key", key_of_email(changes["email"]))] if changes.get("email") else []
    return keys + ([("number_digits", key_of_number(changes["number"]))] if changes.get("number") else [])


_CLAIMABLE = Statement(
    lambda d: " UNION ALL ".join(
        f"SELECT '{column}', {column} FROM users WHERE workspace_id = ? AND {column} {d.in_array} AND uid_updateable"
        for column in ("email_key", "number_digits", "uid")
    )
)


def find_claimable(
    workspace: int, keys: Collection[tuple[str, str]], uids: Collection[str]
) -> tuple[set[tuple[str, str]], set[str]]:
    """Return those of the keys, as `keys_of` makes them, and of the uids, that users without a uid of their own have.

    One statement, whatever their number.
    """
    wanted = ([value for name, value in keys if name == column] for column in ("email_key", "number_digits"))
    parameters = [part for values in (*wanted, list(uids)) for part in (workspace, db.obj.array(values))]
    found = set(_CLAIMABLE(*parameters))
    return {one for one in found if one[0] != "uid"}, {value for name, value in found if name == "uid"}
