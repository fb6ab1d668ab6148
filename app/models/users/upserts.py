"""The upsert: one statement makes a user or changes one, with the rules that depend on what is stored in it."""

import functools
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

from app.domain.contacts import key_of_email, key_of_number
from app.models.database import Call, Statement
from app.models.dialects import BYTE_BY_BYTE, Dialect
from app.models.users import rendering
from app.models.users.changes import delete
from app.models.users.rows import MAX_META_KEYS, UserRow, columns, dump, row

STATEMENTS = 256  # that are kept: the callers choose the sets of fields, and so how many there could be
# Of the columns that are no text on Postgres.
TYPES = {"meta": "jsonb", "is_account": "boolean", "uid_updateable": "boolean"} | dict.fromkeys(
    ("archived_at", "created_at", "app_last_active", "last_interaction"), "bigint"
)
# Field of a change -> the columns it sets.
_COLUMNS_OF = {"email": ("email", "email_key"), "number": ("number", "number_digits")}
KEPT = (
    "uid_updateable",
    "first_name",
    "last_name",
    "number",
    "email",
    "is_account",
    "archived_at",
    "meta",
    "created_at",
    "tz",
    "app_version",
    "app_build",
    "app_last_active",
)


def fields_in(changes: Container[str]) -> tuple[str, ...]:
    """Return the fields of KEPT that the changes have, in its order."""
    return tuple([field for field in KEPT if field in changes])


def columns_of(fields: Iterable[str]) -> list[str]:
    """Return the columns that the fields set."""
    return [column for field in fields for column in _COLUMNS_OF.get(field, (field,))]


def values(field: str, value: Any) -> tuple[Any, ...]:
    """Return what goes into the columns of a field."""
    if field == "email":
        return value, value and key_of_email(value)
    if field == "number":
        return value, value and key_of_number(value)
    return (dump(value),) if field == "meta" else (value,)


def columns_with(field: str, given: Sequence[Any]) -> dict[str, Sequence[Any]]:
    """Return the columns of a field with the values of many users: `values` of each, column by column."""
    if field == "email":
        return {"email": given, "email_key": [one and key_of_email(one) for one in given]}
    if field == "number":
        return {"number": given, "number_digits": [one and key_of_number(one) for one in given]}
    return {field: list(map(dump, given)) if field == "meta" else given}


@functools.lru_cache(STATEMENTS)
def _upsert_statement(fields: tuple[str, ...], guard_email: bool) -> Statement:
    """The statement that makes a user or changes the fields, and answers nothing where a rule forbids the change."""

    def build(d: Dialect) -> str:
        names = ["workspace_id", *_written(fields)]
        places = [d.json_parameter if name == "meta" else "?" for name in names]
        return (
            f"INSERT INTO users ({', '.join(names)}) VALUES ({', '.join(places)}) "
            f"{on_conflict(d, fields, guard_email)} RETURNING {columns(d)}"
        )

    return Statement(build)


@functools.lru_cache(STATEMENTS)
def _upsert_each_statement(fields: tuple[str, ...]) -> Statement:
    """The same for many users who set the same fields, but for those whom `finding.claimants` finds somebody for.

    To ask for those first took a fifth of a create that came alone.
    """

    def build(d: Dialect) -> str:
        fixed = ["workspace_id", *([] if "created_at" in fields else ["created_at"])]
        names = ["id", "uid", *columns_of(fields)]
        return (
            f"INSERT INTO users ({', '.join([*fixed, *names])}) "
            f"SELECT {', '.join(f'given.{name}' for name in [*fixed, *names])} FROM {_given(d, fixed, names)} "
            f"{on_conflict(d, fields)} RETURNING users.id, users.uid, {rendering.saved(d)}"
        )

    return Statement(build)


def _given(d: Dialect, fixed: Sequence[str], names: Sequence[str]) -> str:
    """SQL for the rows that are given, but for those who are left out, in the order in which they are locked."""
    if d.name == "sqlite":
        return f"(SELECT {', '.join(f'? AS {name}' for name in [*fixed, *names])}) AS given WHERE {_unclaimed(names)}"
    arrays = ", ".join(f"?::{TYPES.get(name, 'text')}[]" for name in names)
    rows = f"SELECT {', '.join(f'?::bigint AS {name}' for name in fixed)}, one.*"
    return (
        f"({rows} FROM unnest({arrays}) AS one ({', '.join(names)})) AS given WHERE {_unclaimed(names)} "
        f"ORDER BY given.uid {BYTE_BY_BYTE}"
    )


def _unclaimed(names: Sequence[str]) -> str:
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


def _written(fields: Sequence[str]) -> list[str]:
    defaults = [] if "created_at" in fields else ["created_at"]
    return ["id", "uid", *columns_of(fields), *defaults]


def on_conflict(d: Dialect, fields: Sequence[str], guard_email: bool = False) -> str:
    """Return what an insert does where the user is there: it changes the fields, unless a rule forbids that."""
    merged = d.json_merge.format("users.meta", "excluded.meta")
    changes = [f"{name} = " + (merged if name == "meta" else f"excluded.{name}") for name in columns_of(fields)]
    rules = []
    if guard_email:
        rules.append("(users.email IS NULL OR users.email IS NOT DISTINCT FROM excluded.email)")
    if "meta" in fields:
        rules.append(f"{d.json_key_count.format(merged)} <= {MAX_META_KEYS}")
    return f"ON CONFLICT (workspace_id, uid) DO UPDATE SET {', '.join(changes) or 'uid = excluded.uid'}" + (
        f" WHERE {' AND '.join(rules)}" if rules else ""
    )


def upsert(
    workspace: int, id: str, uid: str, changes: Mapping[str, Any], now: int, guard_email: bool
) -> UserRow | None:
    """Make the user of that uid or change the fields given, in one statement, and return it as it is then.

    Either way the user is locked until the transaction ends. id: what a new user gets; the row's id tells whether
    there was one before. changes: any of the fields in KEPT; meta is merged key by key. guard_email: an email may be
    set or repeated, not changed.
    Returns None when nothing was done, because the guard or the number of meta keys forbids it.
    """
    fields = fields_in(changes)
    statement = _upsert_statement(fields, guard_email and "email" in changes)
    rows = statement(workspace, *_values(id, uid, fields, changes, now))
    return row(rows[0]) if rows else None


def upsert_call(
    workspace: int, ids: Sequence[str], uids: Sequence[str], bodies: Sequence[Mapping[str, Any]], now: int
) -> Call:
    """Return the call of `upsert` for users who are given the same fields, without a guard; each of them comes once.

    A row is (id, uid, what `rendering.saved_user` takes). There is none for whom nothing was done, because there would
    be too many meta keys, or because the user would be another's, whom `finding.claimants` finds.
    """
    fields = fields_in(bodies[0])
    given: dict[str, Sequence[Any]] = {"id": ids, "uid": uids}
    for field in fields:
        given |= columns_with(field, [body[field] for body in bodies])
    fixed = (workspace,) if "created_at" in fields else (workspace, now)
    return Call(_upsert_each_statement(fields), fixed, list(given.values()))


def _values(id: str, uid: str, fields: Sequence[str], changes: Mapping[str, Any], now: int) -> tuple[Any, ...]:
    written = [value for field in fields for value in values(field, changes[field])]
    return (id, uid, *written) if "created_at" in changes else (id, uid, *written, now)


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
