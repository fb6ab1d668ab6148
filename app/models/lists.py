"""Lists and who is subscribed to them."""

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


def joined(workspace: int, user_id: str) -> set[str]:
    """Return the lists that the user is subscribed to, archived ones too."""
    query = Subscription.select(Subscription.list_id).where(
        (Subscription.workspace_id == workspace)
        & (Subscription.user_id == user_id)
        & (Subscription.status == SUBSCRIBED)
    )
    return {row.list_id for row in query}


_COUNT = Statement(
    lambda d: (
        f"UPDATE lists SET subscriber_count = subscriber_count + {d.parameter} "
        f"WHERE workspace_id = {d.parameter} AND id = {d.parameter} AND archived_at IS NULL RETURNING id"
    )
)
_SUBSCRIBE = Statement(
    lambda d: (
        f"INSERT INTO subscriptions (workspace_id, user_id, list_id, status, position) "
        f"VALUES ({', '.join([d.parameter] * 5)}) ON CONFLICT (workspace_id, user_id, list_id) "
        "DO UPDATE SET status = excluded.status RETURNING position"
    )
)


def subscribe(workspace: int, user_id: str, list_id: str) -> bool:
    """Subscribe a user who is not, without asking for a confirmation.

    Locks the list until the transaction ends. Returns whether there is such a list and it is not archived.
    """
    if not _COUNT(1, workspace, list_id):
        return False
    _SUBSCRIBE(workspace, user_id, list_id, SUBSCRIBED, ids.new())
    return True


_UNCOUNT = Statement(
    lambda d: (
        f"UPDATE lists SET subscriber_count = subscriber_count - 1 WHERE workspace_id = {d.parameter} AND id IN "
        f"(SELECT list_id FROM subscriptions WHERE workspace_id = {d.parameter} AND user_id = {d.parameter} "
        f"AND status = {d.parameter}) RETURNING id"
    )
)


def discount(workspace: int, user_id: str) -> None:
    """Take the user, who is about to go, out of the counts of all lists."""
    _UNCOUNT(workspace, workspace, user_id, SUBSCRIBED)
