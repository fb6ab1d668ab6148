"""The user object of engage.md section 3 as SQLite itself writes it: the reads of the hot path.

A dict made of a row, and JSON made of that, take as long as finding the row; written by the query they take a tenth of
it: a read takes 10 us less of 33, a page of 30 half (docs/performance.md). On Postgres, whose JSON has spaces,
app/api/replies.py writes them; a test proves that both give the same bytes.
"""

import itertools
import operator
from collections.abc import Sequence
from typing import Any, NamedTuple

from app.models.database import Call, Statement, db
from app.models.shares import Share


class RenderedUser(NamedTuple):
    """A user: the id, and the user object as JSON."""

    id: str
    json: str


def renders() -> bool:
    """Tell whether the database in use writes users itself."""
    return bool(db.dialect.name == "sqlite")


def _time(column: str) -> str:
    """SQL for `dates.render`."""
    return f"strftime('%Y-%m-%dT%H:%M:%f+00:00', {column} / 1000.0, 'unixepoch')"


_STATS = '{"delivered":0,"failed":0,"opened":0,"clicked":0,"unique_opens":0,"unique_clicks":0}'
_SIDES = {  # name in the object: (table, JSON of a row)
    "devices": ("devices", "json_object('token', devices.token, 'platform', devices.platform)"),
    "accounts": (
        "memberships",
        "json_object('id', (SELECT account.uid FROM users AS account "
        "WHERE account.workspace_id = memberships.workspace_id AND account.id = memberships.account_id), "
        "'role', memberships.role)",
    ),
    "lists": (
        "subscriptions",
        "json_object('id', subscriptions.list_id, "
        "'subscribed', json(iif(subscriptions.status = 'subscribed', 'true', 'false')))",
    ),
}


# The object with nothing of the side tables: subqueries for them take as long as the rest, even if they find nothing.
_JSON = (
    'printf(\'{"id":"%s","uid":%s,"uid_updateable":%s,"first_name":%s,"last_name":%s,"number":%s,"email":%s,'
    '"devices":[],"accounts":[],"is_account":%s,"member_count":%s,"archived":%s,"lists":[],"segments":[],'
    f'"meta":%s,"created_at":"%s","last_interaction":%s,"stats":{_STATS}}}\', '
    "users.id, json_quote(users.uid), iif(users.uid_updateable, 'true', 'false'), json_quote(users.first_name), "
    "json_quote(users.last_name), json_quote(users.number), json_quote(users.email), "
    "iif(users.is_account, 'true', 'false'), iif(users.is_account, users.member_count, 'null'), "
    f"iif(users.archived_at IS NULL, 'false', 'true'), users.meta, {_time('users.created_at')}, "
    f"coalesce('\"' || {_time('users.last_interaction')} || '\"', 'null'))"
)
# Who is in which segment is decided elsewhere: with any in the workspace the row says so.
_HAS_SEGMENTS = "EXISTS (SELECT 1 FROM segment_sets WHERE segment_sets.workspace_id = ?)"
_HAS_SIDES = " OR ".join(
    f"EXISTS (SELECT 1 FROM {table} WHERE {table}.workspace_id = users.workspace_id AND {table}.user_id = users.id)"
    for table, _ in _SIDES.values()
)
_FIND_EACH = Statement(
    lambda d: (
        f"SELECT users.id, users.uid, {_JSON}, {_HAS_SEGMENTS}, {_HAS_SIDES} FROM users "
        f"WHERE users.workspace_id = ? AND users.uid {d.in_array}"
    )
)


def find_call(workspace: int, uid: str) -> Share:
    """Return the call that finds the user of that uid, with the others of its moment.

    Its row is (id, uid, JSON, whether the workspace has segments, whether side tables have anything for `complete`).
    16 users by one statement take 6 us each, by one of their own with the side tables in it 17.
    """
    return Share(_FIND_EACH, (workspace, workspace), uid, (uid,))


_PAGE = Statement(
    lambda d: (
        f"SELECT users.id, {_JSON}, {_HAS_SEGMENTS}, "
        "EXISTS (SELECT 1 FROM users AS behind WHERE behind.workspace_id = ? AND behind.id <= ? "
        "AND behind.hidden_at IS NULL) "
        "FROM users WHERE users.workspace_id = ? AND users.id > ? AND users.hidden_at IS NULL ORDER BY users.id LIMIT ?"
    )
)


def page_call(workspace: int, count: int, cursor: str | None) -> Call:
    """Return the call that finds up to `count` users beyond the cursor, nearest first.

    Its rows are (id, JSON, whether the workspace has segments, whether a user is on the other side of the cursor).
    """
    beyond = (workspace, cursor or "")
    return Call(_PAGE, (workspace, *beyond, *beyond, count))


# No aggregate, no ORDER BY, no join: with them it takes 37 us to find nothing, and so 2.
_BESIDE = Statement(
    lambda d: " UNION ALL ".join(
        f"SELECT {table}.user_id, '{name}', {table}.position, {json} FROM {table} "
        f"WHERE {table}.workspace_id = ? AND {table}.user_id >= ? AND {table}.user_id <= ?"
        for name, (table, json) in _SIDES.items()
    )
)


def beside_call(workspace: int, first: str, last: str) -> Call:
    """Return the call that finds what side tables have of the users from one id to the other, for `complete`."""
    return Call(_BESIDE, (workspace, first, last) * len(_SIDES))


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
