"""The fields of a user, declared once: columns, rows, JSON in SQL, replies, OpenAPI, merges and rules derive from them.

To add a field: one line here, its rule in app/schemas/users.py, a migration, and a test.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, NamedTuple, get_args, get_type_hints

from app.domain import dates
from app.domain.consent import PENDING, SUBSCRIBED
from app.domain.contacts import key_of_email, key_of_number

# How a field is stored and shown. PRESENCE: a time, shown as whether it is there. ROWS: rows of another table.
ID, TEXT, FLAG, COUNT, PRESENCE, TIME, META, ROWS = "id", "text", "flag", "count", "presence", "time", "meta", "rows"
CALLER, SERVICE = "caller", "service"  # who writes a field
STATS = {"delivered": 0, "failed": 0, "opened": 0, "clicked": 0, "unique_opens": 0, "unique_clicks": 0}


class Field(NamedTuple):
    """A field of a user.

    written: CALLER, SERVICE or None. is_filled: whether a merge takes it from the other user where this one has none.
    key_column, key: the column with what all spellings of a text share, and how that is made. shown_as: its name in
    the user object, where it is not that of the column. example, description: for OpenAPI.
    """

    kind: str
    written: str | None = None
    is_filled: bool = False
    key_column: str = ""
    key: Callable[[str], str] | None = None
    shown_as: str = ""
    example: Any = None
    description: str = ""
    is_nullable: bool = False


class UserRow(NamedTuple):
    """A user with all that the user object shows, in its order; times are epoch milliseconds, other tables' rows dicts.

    rules: the version of the workspace's segments, while it is not decided which of them the user is in; None when it
    is, or there are none (app/services/segments/membership.py).
    """

    id: Annotated[str, Field(ID, example="5fc6477241fcec31a9548e98", description="Ours, ordered by time.")]
    uid: Annotated[str, Field(TEXT, example="u144", description="The caller's.")]
    uid_updateable: Annotated[
        bool,
        Field(FLAG, SERVICE, example=False, description="Whether the user came without a uid and may still get one."),
    ]
    first_name: Annotated[str | None, Field(TEXT, CALLER, is_filled=True, example="Akinyele")]
    last_name: Annotated[str | None, Field(TEXT, CALLER, is_filled=True, example="Jinadu")]
    number: Annotated[str | None, Field(TEXT, CALLER, True, "number_digits", key_of_number)]
    email: Annotated[
        str | None, Field(TEXT, CALLER, True, "email_key", key_of_email, example="a.jinadu@somecorp.email")
    ]
    devices: Annotated[list[dict[str, Any]], Field(ROWS, description="The last 5, newest last.")]
    accounts: Annotated[list[dict[str, Any]], Field(ROWS, CALLER, description="The accounts the user is in.")]
    is_account: Annotated[bool, Field(FLAG, CALLER, example=False)]
    member_count: Annotated[int, Field(COUNT, description="Null for a customer.")]
    archived_at: Annotated[int | None, Field(PRESENCE, SERVICE, shown_as="archived", example=False)]
    lists: Annotated[list[dict[str, Any]], Field(ROWS, CALLER, description="The lists the user is on.")]
    segments: Annotated[list[dict[str, Any]], Field(ROWS, description="The segments the user is in.")]
    meta: Annotated[dict[str, Any], Field(META, CALLER, example={"plan": "pro", "age": 34}, description="Attributes.")]
    created_at: Annotated[
        int, Field(TIME, CALLER, example="2021-01-12T05:24:39.062+00:00", description="UTC, milliseconds.")
    ]
    last_interaction: Annotated[int | None, Field(TIME, description="Time of the newest event.")]
    rules: str | None


# Stored, and not shown.
HIDDEN = {
    "tz": Field(TEXT, CALLER, is_filled=True, is_nullable=True),
    "app_version": Field(TEXT, CALLER, is_filled=True, is_nullable=True),
    "app_build": Field(TEXT, CALLER, is_filled=True, is_nullable=True),
    "app_last_active": Field(TIME, CALLER, is_filled=True, is_nullable=True),
}


def _declared() -> dict[str, Field]:
    hints = get_type_hints(UserRow, include_extras=True)
    fields = {name: hint.__metadata__[0] for name, hint in hints.items() if hasattr(hint, "__metadata__")}
    return {
        name: field._replace(is_nullable=type(None) in get_args(get_args(hints[name])[0]))
        for name, field in fields.items()
    }


FIELDS = _declared()  # what is shown, by the names of UserRow
COLUMNS = {name: field for name, field in {**FIELDS, **HIDDEN}.items() if field.kind != ROWS}
WRITTEN = tuple(name for name, field in COLUMNS.items() if field.written)
SENT = tuple(name for name, field in FIELDS.items() if field.written == CALLER)
FILLED = tuple(
    column for name, field in COLUMNS.items() if field.is_filled for column in (name, field.key_column) if column
)


def shown(user: UserRow) -> dict[str, Any]:
    """Return the user object of engage.md section 3."""
    if user.rules is not None:
        raise ValueError("nobody has decided which segments the user is in")
    return {key: show(getattr(user, name), user) for name, key, show in _SHOWN} | {"stats": STATS}


def shown_place(list_id: str, status: str) -> dict[str, Any]:
    """Return a place on a list as it is shown."""
    return {"id": list_id, "subscribed": status == SUBSCRIBED, **({"pending": True} if status == PENDING else {})}


def _as_it_is(value: Any, user: UserRow) -> Any:
    return value


def _time(value: int | None, user: UserRow) -> str | None:
    return None if value is None else dates.render(value)


def _presence(value: Any, user: UserRow) -> bool:
    return value is not None


def _count(value: int, user: UserRow) -> int | None:
    return value if user.is_account else None


def _places(value: list[dict[str, Any]], user: UserRow) -> list[dict[str, Any]]:
    return [shown_place(one["id"], one["status"]) for one in value]


_SHOW: Mapping[str, Callable[[Any, UserRow], Any]] = {TIME: _time, PRESENCE: _presence, COUNT: _count}
_SHOWN = [
    (name, field.shown_as or name, _places if name == "lists" else _SHOW.get(field.kind, _as_it_is))
    for name, field in FIELDS.items()
]
