"""Memberships: which users belong to which accounts. An account is itself a user."""

import peewee

from app import ids
from app.models.database import BaseModel, Statement
from app.models.users import User


class Membership(BaseModel):
    """A user in an account. `position` is an id: the order in which accounts were joined."""

    workspace_id = peewee.BigIntegerField()
    user_id = peewee.TextField()
    account_id = peewee.TextField()
    role = peewee.TextField(null=True)
    position = peewee.TextField()

    class Meta:
        table_name = "memberships"
        primary_key = peewee.CompositeKey("workspace_id", "user_id", "account_id")


def find_ids(workspace: int, uids: list[str]) -> dict[str, str]:
    """Return {uid: id} of those uids that exist."""
    query = User.select(User.uid, User.id).where((User.workspace_id == workspace) & User.uid.in_(uids))
    return dict(query.tuples())


_ADD = Statement(
    lambda d: f"INSERT INTO memberships (workspace_id, user_id, account_id, role, position) "
    f"VALUES ({', '.join([d.parameter] * 5)}) ON CONFLICT (workspace_id, user_id, account_id) DO UPDATE SET "
    "role = coalesce(excluded.role, memberships.role) RETURNING position"
)
_COUNT = Statement(
    lambda d: f"UPDATE users SET is_account = TRUE, member_count = member_count + {d.parameter} "
    f"WHERE workspace_id = {d.parameter} AND id = {d.parameter} RETURNING id"
)


def add(workspace: int, user_id: str, account_id: str, role: str | None) -> None:
    """Put the user in the account, or set the role where one is given and the user is in it already.

    Whoever is joined becomes an account (engage.md section 4.5).
    """
    position = ids.new()
    is_new = _ADD(workspace, user_id, account_id, role, position)[0][0] == position
    _COUNT(int(is_new), workspace, account_id)
