"""Lists and their subscribers."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import peewee

from app.domain import ids
from app.domain.consent import PENDING, SUBSCRIBED
from app.models.database import BaseModel, Statement, db
from app.models.dialects import Dialect
from app.models.keyset import Filter, Keyset, of_workspace

COUNTED = (SUBSCRIBED, PENDING)  # what `subscriber_count` counts (engage.md section 5)


class List(BaseModel):
    """A mailing list. `subscriber_count` is kept with every change, so that reading it costs nothing."""

    workspace_id = peewee.BigIntegerField()
    id = peewee.TextField()
    title = peewee.TextField()
    description = peewee.TextField(null=True)
    redirect_url = peewee.TextField(null=True)
    double_optin = peewee.BooleanField(default=False)
    subscriber_count = peewee.BigIntegerField(default=0)
    created_at = peewee.BigIntegerField()
    archived_at = peewee.BigIntegerField(null=True)

    class Meta:
        table_name = "lists"
        primary_key = peewee.CompositeKey("workspace_id", "id")


class Subscription(BaseModel):
    """A user on a list. `status` is what became of it, `position` an id: the order of joining."""

    workspace_id = peewee.BigIntegerField()
    user_id = peewee.TextField()
    list_id = peewee.TextField()
    status = peewee.TextField()
    position = peewee.TextField()

    class Meta:
        table_name = "subscriptions"
        primary_key = peewee.CompositeKey("workspace_id", "user_id", "list_id")


class ListRow(NamedTuple):
    """A list as it is stored; times are epoch milliseconds."""

    id: str
    title: str
    description: str | None
    redirect_url: str | None
    double_optin: bool
    subscriber_count: int
    created_at: int
    archived_at: int | None


_COLUMNS = ", ".join(f"lists.{name}" for name in ListRow._fields)


def _row(values: tuple[Any, ...]) -> ListRow:
    return ListRow._make(values)._replace(double_optin=bool(values[4]))  # SQLite has no booleans


# ---- lists --------------------------------------------------------------------------------------------------------


def create(workspace: int, fields: dict[str, Any], now: int) -> ListRow:
    """Make a list of these fields: title, and any of description, redirect_url, double_optin."""
    id = ids.new()
    List.insert(workspace_id=workspace, id=id, created_at=now, **fields).execute()
    return ListRow(
        id, fields["title"], fields.get("description"), fields.get("redirect_url"), fields.get("double_optin", False),
        0, now, None,
    )  # fmt: skip


def find(workspace: int, id: str) -> ListRow | None:
    """Return the list, an archived one too."""
    query = List.select(*[getattr(List, name) for name in ListRow._fields])
    found: Any = query.where((List.workspace_id == workspace) & (List.id == id)).tuples().first()
    return _row(found) if found else None


_PAGE = Keyset("lists", lambda d: _COLUMNS)
IS_OPEN = Filter("{row}.archived_at IS NULL", ())


def page(count: int, filters: Sequence[Filter], cursor: str | None, descending: bool) -> tuple[list[ListRow], bool]:
    """Return lists as Keyset says. filters: `of_workspace`, and IS_OPEN for those that are not archived."""
    rows, behind = _PAGE(count, filters, cursor, descending)
    return [_row(values) for values in rows], behind


def update(workspace: int, id: str, fields: dict[str, Any]) -> bool:
    """Change the fields of a list. Returns True if there is such a list."""
    query = List.update(**fields).where((List.workspace_id == workspace) & (List.id == id))
    return bool(query.execute())


# ---- subscriptions ------------------------------------------------------------------------------------------------


def places(workspace: int, user_id: str) -> dict[str, tuple[str, str]]:
    """Return {list id: (status, position)} of the user."""
    query = Subscription.select(Subscription.list_id, Subscription.status, Subscription.position).where(
        (Subscription.workspace_id == workspace) & (Subscription.user_id == user_id)
    )
    return {row.list_id: (row.status, row.position) for row in query}


def statuses(workspace: int, user_id: str) -> dict[str, str]:
    """Return {list id: status} of the user."""
    return {list_id: status for list_id, (status, _) in places(workspace, user_id).items()}


_UID = (
    "(SELECT uid FROM users WHERE users.workspace_id = subscriptions.workspace_id AND users.id = subscriptions.user_id)"
)
_PLACES = Keyset(
    "subscriptions",
    lambda d: f"{_UID}, subscriptions.user_id, subscriptions.status, subscriptions.position",
    key="user_id",
)


class PlaceRow(NamedTuple):
    """A place on a list. id: the user's. position: the id of the place, by which links tell it from later ones."""

    uid: str
    id: str
    status: str
    position: str


def on(workspace: int, list_id: str, status: str | None = None) -> list[Filter]:
    """Return the filters of `subscribers`: the places on a list, of a status if one is given."""
    found = [of_workspace(workspace), Filter("{row}.list_id = ?", (list_id,))]
    return found if status is None else [*found, Filter("{row}.status = ?", (status,))]


def subscribers(
    count: int, filters: Sequence[Filter], cursor: str | None, descending: bool
) -> tuple[list[PlaceRow], bool]:
    """Return places as Keyset says, in the order of the users' ids. filters: those of `on`."""
    rows, behind = _PLACES(count, filters, cursor, descending)
    return [PlaceRow._make(values) for values in rows], behind


_COUNT = Statement(
    "UPDATE lists SET subscriber_count = subscriber_count + ? WHERE workspace_id = ? AND id = ? RETURNING archived_at"
)
_SET_STATUS = Statement(
    "INSERT INTO subscriptions (workspace_id, user_id, list_id, status, position) "
    "VALUES (?, ?, ?, ?, ?) ON CONFLICT (workspace_id, user_id, list_id) "
    "DO UPDATE SET status = excluded.status, position = CASE WHEN excluded.status = 'pending' "
    "THEN excluded.position ELSE subscriptions.position END RETURNING position"
)
_REMOVE = Statement(
    "DELETE FROM subscriptions WHERE workspace_id = ? AND user_id = ? AND list_id = ? RETURNING list_id"
)


def count(workspace: int, list_id: str, by: int) -> bool:
    """Change the number of subscribers, and lock the list until the transaction ends.

    Returns whether there is such a list and it takes subscribers: an archived one does not.
    """
    rows = _COUNT(by, workspace, list_id)
    return bool(rows) and rows[0][0] is None


def set_status(workspace: int, user_id: str, list_id: str, status: str) -> None:
    """Put the user on the list with this status, or give the place there the status. Call `count` first.

    A place that becomes pending gets a new position: links that were made before confirm nothing.
    """
    _SET_STATUS(workspace, user_id, list_id, status, ids.new())


def remove(workspace: int, user_id: str, list_id: str) -> None:
    """Take the user off the list. Call `count` first."""
    _REMOVE(workspace, user_id, list_id)


def _where_subscribed(d: Dialect) -> str:
    """The lists that any of the users has a place on: (workspace, workspace, array of users)."""
    subscribed = f"SELECT list_id FROM subscriptions WHERE workspace_id = ? AND user_id {d.in_array}"
    return f"WHERE workspace_id = ? AND id IN ({subscribed})"


_LOCK_SUBSCRIBED = Statement(lambda d: f"SELECT id FROM lists {_where_subscribed(d)} ORDER BY id{d.for_update}")
_DISCOUNT = Statement(
    lambda d: (
        "UPDATE lists SET subscriber_count = subscriber_count - (SELECT count(*) FROM subscriptions "
        "WHERE subscriptions.workspace_id = lists.workspace_id AND subscriptions.list_id = lists.id "
        f"AND subscriptions.user_id {d.in_array} AND subscriptions.status IN ('{SUBSCRIBED}', '{PENDING}')) "
        f"{_where_subscribed(d)} RETURNING id"
    )
)
_LEAVE_ALL = Statement(
    lambda d: f"DELETE FROM subscriptions WHERE workspace_id = ? AND user_id {d.in_array} RETURNING list_id"
)


def leave_all(workspace: int, user_ids: Sequence[str]) -> None:
    """Take locked users off all lists and out of their counts."""
    discount(workspace, user_ids)
    _LEAVE_ALL(workspace, db.obj.array(user_ids))


def discount(workspace: int, user_ids: Sequence[str]) -> None:
    """Take users, who are about to go, out of the counts of all lists, locked in the order of their ids."""
    ids = db.obj.array(user_ids)
    if _LOCK_SUBSCRIBED(workspace, workspace, ids):
        _DISCOUNT(ids, workspace, workspace, ids)
