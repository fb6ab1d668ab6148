"""The upsert: one statement makes users or changes them, with the rules that depend on what is stored in them."""

import functools
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from app.domain import shape
from app.domain.shape import UserRow
from app.models.database import Call, Statement, db
from app.models.dialects import BYTE_BY_BYTE, Dialect, given
from app.models.users import rendering
from app.models.users.changes import delete
from app.models.users.rows import MAX_META_KEYS, columns, dump, row

STATEMENTS = 256  # that are kept: the callers choose the sets of fields, and so how many there could be
_SQL_OF_KIND = {
    shape.META: "jsonb",
    shape.FLAG: "boolean",
    **dict.fromkeys((shape.COUNT, shape.PRESENCE, shape.TIME), "bigint"),
}
# Of the columns that are no text on Postgres.
TYPES = {name: _SQL_OF_KIND[field.kind] for name, field in shape.COLUMNS.items() if field.kind in _SQL_OF_KIND}
# Field of a change -> the column and the function of what all its spellings share.
_KEYS = {name: (field.key_column, field.key) for name, field in shape.COLUMNS.items() if field.key}


def fields_in(changes: Container[str]) -> tuple[str, ...]:
    """Return the fields that the changes have, in the order of shape.WRITTEN."""
    return tuple([field for field in shape.WRITTEN if field in changes])


def columns_of(fields: Iterable[str]) -> list[str]:
    """Return the columns that the fields set."""
    return [column for field in fields for column in (field, *_KEYS.get(field, ())[:1])]


def columns_with(field: str, given: Sequence[Any]) -> dict[str, Sequence[Any]]:
    """Return {column: values} of a field of several users."""
    if field == "meta":
        return {field: list(map(dump, given))}
    if field not in _KEYS:
        return {field: given}
    column, key = _KEYS[field]
    return {field: given, column: [one and key(one) for one in given]}


class Form(NamedTuple):
    """What an upsert does beside setting its fields.

    returning: what it answers of each user, SQL by the dialect. guards_email: an email may be set or repeated, not
    changed. leaves_claimed: rows are left out for which `finding.claimants` finds a user: asking for those first took
    a fifth of a create that came alone. on_conflict: what becomes of a stored user, as
    `_on_conflict` tells it.
    """

    returning: Callable[[Dialect], str] | None = None
    guards_email: bool = False
    leaves_claimed: bool = False
    on_conflict: Callable[[Dialect, Sequence[str], int], tuple[str, str]] | None = None


@functools.lru_cache(STATEMENTS)
def upsert_statement(fields: tuple[str, ...], form: Form) -> Statement:
    """Return the statement that makes users or changes these fields of them, in the order of uids.

    It answers nothing of a user whose change a rule forbids. Its parameters: the workspace, the time unless created_at
    is among the fields, then columns: id, uid and `columns_of` the fields.
    """

    def build(d: Dialect) -> str:
        fixed = ["workspace_id", *([] if "created_at" in fields else ["created_at"])]
        given_columns = {name: TYPES.get(name, "text") for name in ("id", "uid", *columns_of(fields))}
        conflict = form.on_conflict or functools.partial(_on_conflict, guards_email=form.guards_email)
        before, after = conflict(d, fields, len(fixed) + len(given_columns))
        rows = _unclaimed_rows(d, fixed, given_columns) if form.leaves_claimed else given(d, len(fixed), given_columns)
        insert = f"INSERT INTO users ({', '.join([*fixed, *given_columns])}) {rows}"
        answer = f" RETURNING {form.returning(d)}" if form.returning else ""
        return f"{before}{insert} ON CONFLICT (workspace_id, uid) DO UPDATE SET {after}{answer}"

    return Statement(build)


def _on_conflict(d: Dialect, fields: Sequence[str], parameters: int, guards_email: bool) -> tuple[str, str]:
    """Return what stands before INSERT, and how a user who is there is changed, unless a rule forbids that.

    parameters: how many the rows have.
    """
    merged = d.json_merge.format("users.meta", "excluded.meta")
    changes = [f"{name} = " + (merged if name == "meta" else f"excluded.{name}") for name in columns_of(fields)]
    rules = []
    if guards_email:
        rules.append("(users.email IS NULL OR users.email IS NOT DISTINCT FROM excluded.email)")
    if "meta" in fields:
        rules.append(f"{d.json_key_count.format(merged)} <= {MAX_META_KEYS}")
    return "", (", ".join(changes) or "uid = excluded.uid") + (f" WHERE {' AND '.join(rules)}" if rules else "")


def _unclaimed_rows(d: Dialect, fixed: Sequence[str], columns: Mapping[str, str]) -> str:
    """SQL for the rows that are given, but for those who are left out, in the order in which they are locked."""
    shown = ", ".join(f"given.{name}" for name in [*fixed, *columns])
    if d.name == "sqlite":
        rows = ", ".join(f"? AS {name}" for name in [*fixed, *columns])
        return f"SELECT {shown} FROM (SELECT {rows}) AS given WHERE {_unclaimed(columns)}"
    arrays = ", ".join(f"?::{kind}[]" for kind in columns.values())
    rows = f"SELECT {', '.join(f'?::bigint AS {name}' for name in fixed)}, one.*"
    return (
        f"SELECT {shown} FROM ({rows} FROM unnest({arrays}) AS one ({', '.join(columns)})) AS given "
        f"WHERE {_unclaimed(columns)} ORDER BY given.uid {BYTE_BY_BYTE}"
    )


def _unclaimed(names: Container[str]) -> str:
    """SQL for those given whose email, else number, no user without a uid of its own has."""
    rules = [
        "NOT EXISTS (SELECT 1 FROM users AS claimant WHERE claimant.workspace_id = given.workspace_id "
        f"AND claimant.{name} = given.{name} AND claimant.uid_updateable)"
        for name in ("email_key", "number_digits")
        if name in names
    ]
    if len(rules) > 1:
        rules[1] = f"(given.email_key IS NOT NULL OR {rules[1]})"
    return " AND ".join(rules) or "TRUE"


def upsert(
    workspace: int, id: str, uid: str, changes: Mapping[str, Any], now: int, guard_email: bool
) -> UserRow | None:
    """Make the user of that uid or change the fields given, in one statement, and return it as it is then.

    Either way the user is locked until the transaction ends. id: what a new user gets; the row's id tells whether
    there was one before. changes: any of shape.WRITTEN; meta is merged key by key. guard_email: an email may be
    set or repeated, not changed.
    Returns None when nothing was done, because the guard or the number of meta keys forbids it.
    """
    form = _ONE_GUARDED if guard_email and "email" in changes else _ONE
    statement, fixed, given_columns = _call(workspace, [id], [uid], [changes], now, form)
    as_parameter = db.array if db.dialect.takes_arrays else itemgetter(0)
    rows = statement(*fixed, *map(as_parameter, given_columns or ()))
    return row(rows[0]) if rows else None


_ONE, _ONE_GUARDED = Form(columns), Form(columns, guards_email=True)


def upsert_call(
    workspace: int, ids: Sequence[str], uids: Sequence[str], bodies: Sequence[Mapping[str, Any]], now: int
) -> Call:
    """Return the call of `upsert` for users who are given the same fields, without a guard; each of them comes once.

    A row is (id, uid, what `rendering.saved_user` takes). There is none for whom nothing was done, because there would
    be too many meta keys, or because the user would be another's, whom `finding.claimants` finds.
    """
    return _call(workspace, ids, uids, bodies, now, _OF_GROUP)


_OF_GROUP = Form(lambda d: f"users.id, users.uid, {rendering.saved(d)}", leaves_claimed=True)


def _call(
    workspace: int,
    ids: Sequence[str],
    uids: Sequence[str],
    bodies: Sequence[Mapping[str, Any]],
    now: int,
    form: Form,
) -> Call:
    fields = fields_in(bodies[0])
    given_columns: dict[str, Sequence[Any]] = {"id": ids, "uid": uids}
    for field in fields:
        given_columns |= columns_with(field, [body[field] for body in bodies])
    fixed = (workspace,) if "created_at" in fields else (workspace, now)
    return Call(upsert_statement(fields, form), fixed, list(given_columns.values()))


_MAKE = Statement(
    "INSERT INTO users (workspace_id, id, uid, created_at) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (workspace_id, uid) DO NOTHING RETURNING id"
)


def reserve(workspace: int, id: str, uid: str, now: int) -> bool:
    """Keep everybody else from making a user of that uid until the transaction ends. Returns False if there is one.

    A row that was inserted and deleted again makes others wait whose insert or rename meets its unique key.
    id: one that no user has. now: epoch milliseconds.
    """
    if not _MAKE(workspace, id, uid, now):
        return False
    delete(workspace, id)
    return True
