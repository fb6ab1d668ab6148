"""Users: the table, and the statements of the routes that are called all day."""

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson
import peewee

from app import errors
from app.models.database import BaseModel, Call, Statement, db
from app.models.dialects import Dialect
from app.models.keyset import Filter, Keyset
from app.strict_json import MAX_INTEGER

MAX_META_KEYS = 300  # engage.md section 3, counted after the merge


class User(BaseModel):
    """A person or an account. Times are epoch milliseconds; see engage.md section 3 for the fields."""

    workspace_id = peewee.BigIntegerField()
    id = peewee.TextField()
    uid = peewee.TextField()
    uid_updateable = peewee.BooleanField(default=False)
    first_name = peewee.TextField(null=True)
    last_name = peewee.TextField(null=True)
    number = peewee.TextField(null=True)
    number_digits = peewee.TextField(null=True)
    email = peewee.TextField(null=True)
    email_key = peewee.TextField(null=True)
    is_account = peewee.BooleanField(default=False)
    member_count = peewee.BigIntegerField(default=0)
    archived_at = peewee.BigIntegerField(null=True)
    meta = peewee.JSONField(default=dict)
    tz = peewee.TextField(null=True)
    app_version = peewee.TextField(null=True)
    app_build = peewee.TextField(null=True)
    app_last_active = peewee.BigIntegerField(null=True)
    created_at = peewee.BigIntegerField()
    last_interaction = peewee.BigIntegerField(null=True)

    class Meta:
        table_name = "users"
        primary_key = peewee.CompositeKey("workspace_id", "id")
        indexes = ((("workspace_id", "uid"), True),)


class UserRow(NamedTuple):
    """A user with all that the user object shows; times are epoch milliseconds, the last three lists of dicts."""

    id: str
    uid: str
    uid_updateable: bool
    first_name: str | None
    last_name: str | None
    number: str | None
    email: str | None
    is_account: bool
    member_count: int
    archived_at: int | None
    meta: dict[str, Any]
    created_at: int
    last_interaction: int | None
    devices: list[dict[str, Any]]
    accounts: list[dict[str, Any]]
    lists: list[dict[str, Any]]


def _columns(d: Dialect) -> str:
    """The columns of a UserRow: one statement brings the side tables along."""
    devices = d.json_rows.format(
        "'token', devices.token, 'platform', devices.platform",
        "devices.position",
        "devices WHERE devices.workspace_id = users.workspace_id AND devices.user_id = users.id",
    )
    accounts = d.json_rows.format(
        "'id', account.uid, 'role', memberships.role",
        "memberships.position",
        "memberships JOIN users AS account ON account.workspace_id = memberships.workspace_id "
        "AND account.id = memberships.account_id "
        "WHERE memberships.workspace_id = users.workspace_id AND memberships.user_id = users.id",
    )
    lists = d.json_rows.format(
        "'id', subscriptions.list_id, 'status', subscriptions.status",
        "subscriptions.position",
        "subscriptions WHERE subscriptions.workspace_id = users.workspace_id AND subscriptions.user_id = users.id",
    )
    return (
        "users.id, users.uid, users.uid_updateable, users.first_name, users.last_name, users.number, users.email, "
        f"users.is_account, users.member_count, users.archived_at, {d.json_text.format('users.meta')}, "
        f"users.created_at, users.last_interaction, {devices}, {accounts}, {lists}"
    )


def _row(values: tuple[Any, ...]) -> UserRow:
    parts = list(values)
    parts[2], parts[7] = bool(parts[2]), bool(parts[7])  # SQLite has no booleans
    parts[10] = load_flat(parts[10])
    parts[13:] = [orjson.loads(text) if text != "[]" else [] for text in parts[13:]]
    return UserRow._make(parts)


def load_flat(text: str) -> dict[str, Any]:
    """Return a stored JSON object of scalars as it was sent.

    Postgres writes the float 1e300 as 301 digits: what has no exact place among our integers was sent as a float.
    """
    found: dict[str, Any] = orjson.loads(text)
    for key, value in found.items():
        if value.__class__ is int and abs(value) > MAX_INTEGER:
            found[key] = float(value)
    return found


def dump(value: object) -> str:
    """Return JSON text as the JSON columns take it."""
    return orjson.dumps(value).decode()


# ---- reading ----------------------------------------------------------------------------------------------------

_FIND = Statement(
    lambda d: f"SELECT {_columns(d)} FROM users WHERE workspace_id = {d.parameter} AND uid = {d.parameter}"
)


def find(workspace: int, uid: str) -> UserRow | None:
    """Return the user of that uid."""
    rows = _FIND(workspace, uid)
    return _row(rows[0]) if rows else None


_FIND_ID = Statement(
    lambda d: f"SELECT id, archived_at FROM users WHERE workspace_id = {d.parameter} AND uid = {d.parameter}"
)


def find_id(workspace: int, uid: str) -> str | None:
    """Return the id of the user of that uid."""
    rows = _FIND_ID(workspace, uid)
    return rows[0][0] if rows else None


@functools.cache
def _find_all_statement(count: int) -> Statement:
    return Statement(
        lambda d: (
            f"SELECT {_columns(d)} FROM users WHERE workspace_id = {d.parameter} "
            f"AND id IN ({', '.join([d.parameter] * count)})"
        )
    )


def find_all(workspace: int, ids: Sequence[str]) -> list[UserRow]:
    """Return the users of these ids, in any order. ids: a page of them, as each number makes a statement of its own."""
    return [_row(values) for values in _find_all_statement(len(ids))(workspace, *ids)] if ids else []


_PAGE = Keyset("users", _columns)


def page(count: int, filters: Sequence[Filter], cursor: str | None, descending: bool) -> tuple[list[UserRow], bool]:
    """Return up to `count` users beyond the cursor, nearest first, and whether there is one on its other side.

    filters: `of_workspace` and any that `by` makes. cursor, descending: as Keyset says.
    """
    rows, behind = _PAGE(count, filters, cursor, descending)
    return [_row(values) for values in rows], behind


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
    path = _json_path(key)
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


# ---- writing ----------------------------------------------------------------------------------------------------

# Field of a change -> the columns it sets.
_COLUMNS_OF = {"email": ("email", "email_key"), "number": ("number", "number_digits")}
_KEPT = (
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


def key_of_email(email: str) -> str:
    """Return what two spellings of one address share. Addresses are ASCII (app/schemas/fields.py)."""
    return email.lower()


def key_of_number(number: str) -> str:
    """Return the digits of a phone number."""
    return "".join(filter(str.isdigit, number))


def _values(field: str, value: Any) -> tuple[Any, ...]:
    if field == "email":
        return value, value and key_of_email(value)
    if field == "number":
        return value, value and key_of_number(value)
    return (dump(value),) if field == "meta" else (value,)


@functools.cache
def _upsert_statement(fields: tuple[str, ...], guard_email: bool, lean: bool) -> Statement:
    """The statement that makes a user or changes the fields, and answers nothing where a rule forbids the change."""

    def build(d: Dialect) -> str:
        columns = [column for field in fields for column in _COLUMNS_OF.get(field, (field,))]
        defaults = [] if "created_at" in fields else ["created_at"]
        names = ["workspace_id", "id", "uid", *columns, *defaults]
        places = [d.json_parameter if name == "meta" else d.parameter for name in names]
        merged = d.json_merge.format("users.meta", "excluded.meta")
        changes = [f"{name} = " + (merged if name == "meta" else f"excluded.{name}") for name in columns]
        rules = []
        if guard_email:
            rules.append("(users.email IS NULL OR users.email IS NOT DISTINCT FROM excluded.email)")
        if "meta" in fields:
            rules.append(f"{d.json_key_count.format(merged)} <= {MAX_META_KEYS}")
        return (
            f"INSERT INTO users ({', '.join(names)}) VALUES ({', '.join(places)}) "
            f"ON CONFLICT (workspace_id, uid) DO UPDATE SET {', '.join(changes) or 'uid = excluded.uid'}"
            + (f" WHERE {' AND '.join(rules)}" if rules else "")
            + f" RETURNING {'users.id' if lean else _columns(d)}"
        )

    return Statement(build)


def upsert(
    workspace: int, id: str, uid: str, changes: Mapping[str, Any], now: int, guard_email: bool
) -> UserRow | None:
    """Make the user of that uid or change the fields given, in one statement, and return it as it is then.

    Either way the user is locked until the transaction ends. id: what a new user gets; the row's id tells whether
    there was one before. changes: any of the fields in _KEPT; meta is merged key by key. guard_email: an email may be
    set or repeated, not changed.
    Returns None when nothing was done, because the guard or the number of meta keys forbids it.
    """
    call = _upsert_call(workspace, id, uid, changes, now, guard_email, lean=False)
    rows = call.statement(*call.parameters)
    return _row(rows[0]) if rows else None


def upsert_call(workspace: int, id: str, uid: str, changes: Mapping[str, Any], now: int) -> Call:
    """Return the call that does what `upsert` does, and answers the id alone, or nothing where a rule forbids it."""
    return _upsert_call(workspace, id, uid, changes, now, guard_email=False, lean=True)


def _upsert_call(
    workspace: int, id: str, uid: str, changes: Mapping[str, Any], now: int, guard_email: bool, lean: bool
) -> Call:
    fields = tuple(field for field in _KEPT if field in changes)
    values = [value for field in fields for value in _values(field, changes[field])]
    defaults = [] if "created_at" in changes else [now]
    statement = _upsert_statement(fields, guard_email and "email" in changes, lean)
    return Call(statement, (workspace, id, uid, *values, *defaults))


_HAS_UPDATEABLE = Statement(
    lambda d: f"SELECT 1 FROM users WHERE workspace_id = {d.parameter} AND uid_updateable LIMIT 1"
)


def has_updateable(workspace: int) -> bool:
    """Tell whether there is any user without a uid of its own."""
    return bool(_HAS_UPDATEABLE(workspace))


_LOCK = Statement(
    lambda d: f"SELECT id FROM users WHERE workspace_id = {d.parameter} AND uid = {d.parameter}{d.for_update}"
)
_DELETE = Statement(
    lambda d: f"DELETE FROM users WHERE workspace_id = {d.parameter} AND id = {d.parameter} RETURNING id"
)


def lock(workspace: int, uid: str) -> str | None:
    """Return the id of the user of that uid and keep it from changing until the transaction ends."""
    rows = _LOCK(workspace, uid)
    return rows[0][0] if rows else None


_LOCK_ID = Statement(
    lambda d: f"SELECT id FROM users WHERE workspace_id = {d.parameter} AND id = {d.parameter}{d.for_update}"
)


def lock_id(workspace: int, id: str) -> None:
    """Keep the user of that id, if there is one, from changing until the transaction ends."""
    _LOCK_ID(workspace, id)


_LOCK_BOTH = Statement(
    lambda d: (
        f"SELECT uid, id FROM users WHERE workspace_id = {d.parameter} AND uid IN ({d.parameter}, {d.parameter}) "
        f"ORDER BY id{d.for_update}"
    )
)


def lock_both(workspace: int, *uids: str) -> dict[str, str]:
    """Return {uid: id} of those of two uids that exist, locked in the order of their ids."""
    return dict(_LOCK_BOTH(workspace, *uids))


_IS_KNOWN = Statement(
    lambda d: (
        f"SELECT 1 FROM users WHERE workspace_id = {d.parameter} AND id = {d.parameter} "
        "AND (email IS NOT NULL OR number IS NOT NULL)"
    )
)
_REKEY = Statement(
    lambda d: (
        f"UPDATE users SET uid = {d.parameter}, uid_updateable = FALSE "
        f"WHERE workspace_id = {d.parameter} AND id = {d.parameter} RETURNING id"
    )
)


def is_known(workspace: int, id: str) -> bool:
    """Tell whether the user has an email or a number."""
    return bool(_IS_KNOWN(workspace, id))


def rekey(workspace: int, id: str, uid: str) -> bool:
    """Give the user another uid. Returns whether nobody else has it."""
    try:
        with db.atomic():
            return bool(_REKEY(uid, workspace, id))
    except peewee.IntegrityError:
        return False


_REMOVE_META = Statement(
    lambda d: (
        f"UPDATE users SET meta = {d.json_remove} WHERE workspace_id = {d.parameter} AND id = {d.parameter} "
        "RETURNING id"
    )
)
_ARCHIVE = Statement(
    lambda d: (
        f"UPDATE users SET archived_at = coalesce(archived_at, {d.parameter}) "
        f"WHERE workspace_id = {d.parameter} AND uid = {d.parameter} RETURNING id"
    )
)


def remove_meta(workspace: int, id: str, key: str) -> None:
    """Remove an attribute from the user's meta."""
    _REMOVE_META(_json_path(key) if db.dialect.name == "sqlite" else key, workspace, id)


def _json_path(key: str) -> str:
    """SQLite's path of a key: a label in quotes, in which a quote and a backslash are escaped as in JSON."""
    return f"$.{dump(key)}"


def archive(workspace: int, uid: str, now: int) -> bool:
    """Archive the user, at the time given unless it was before. Returns whether there is one."""
    return bool(_ARCHIVE(now, workspace, uid))


def delete(workspace: int, id: str) -> None:
    """Delete the user and, by cascade, all that hangs on it; the counts of lists and accounts are not looked after."""
    _DELETE(workspace, id)


_RENAME = Statement(
    lambda d: (
        f"UPDATE users SET uid = {d.parameter}, uid_updateable = FALSE "
        f"WHERE workspace_id = {d.parameter} AND id = {d.parameter} AND uid_updateable RETURNING id"
    )
)


def rename(workspace: int, id: str, uid: str) -> bool:
    """Give an updateable user its own uid, for good. Returns whether it still was updateable.

    Raises errors.UidTaken.
    """
    try:
        with db.atomic():
            return bool(_RENAME(uid, workspace, id))
    except peewee.IntegrityError:
        raise errors.UidTaken() from None


def updateable(workspace: int, key: str, by: str) -> list[str]:
    """Return the ids of up to two users without a uid of their own whose `email_key` or `number_digits` is this."""
    query = (
        User.select(User.id)
        .where((User.workspace_id == workspace) & (getattr(User, by) == key) & (User.uid_updateable == True))  # noqa: E712
        .limit(2)
    )
    return [row.id for row in query]
