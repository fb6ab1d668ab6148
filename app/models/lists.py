"""Lists and who is subscribed to them."""

from collections.abc import Iterable
from typing import NamedTuple

import peewee

from app import ids
from app.models.database import BaseModel, Statement

SUBSCRIBED = "subscribed"


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
    created_at: int


def create(workspace: int, title: str, now: int) -> ListRow:
    """Make a list."""
    row = ListRow(ids.new(), title, now)
    List.insert(workspace_id=workspace, **row._asdict()).execute()
    return row


def find_open(workspace: int, list_ids: Iterable[str]) -> set[str]:
    """Return which of these lists exist and are not archived."""
    query = List.select(List.id).where(
        (List.workspace_id == workspace) & List.id.in_(list(list_ids)) & List.archived_at.is_null()
    )
    return {row.id for row in query}


def joined(workspace: int, user_id: str) -> set[str]:
    """Return the lists that the user is subscribed to, archived ones too."""
    query = Subscription.select(Subscription.list_id).where(
        (Subscription.workspace_id == workspace)
        & (Subscription.user_id == user_id)
        & (Subscription.status == SUBSCRIBED)
    )
    return {row.list_id for row in query}


_SUBSCRIBE = Statement(
    lambda d: f"INSERT INTO subscriptions (workspace_id, user_id, list_id, status, position) "
    f"VALUES ({', '.join([d.parameter] * 5)}) ON CONFLICT (workspace_id, user_id, list_id) "
    "DO UPDATE SET status = excluded.status RETURNING position"
)


def subscribe(workspace: int, user_id: str, list_id: str) -> None:
    """Subscribe the user, without asking for a confirmation."""
    _SUBSCRIBE(workspace, user_id, list_id, SUBSCRIBED, ids.new())
