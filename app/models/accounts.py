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
    return {row.uid: row.id for row in query}


def joined(workspace: int, user_id: str) -> set[str]:
    """Return the ids of the accounts that the user is in."""
    query = Membership.select(Membership.account_id).where(
        (Membership.workspace_id == workspace) & (Membership.user_id == user_id)
    )
    return {row.account_id for row in query}


_COUNT = Statement(
    lambda d: (
        f"UPDATE users SET is_account = TRUE, member_count = member_count + {d.parameter} "
        f"WHERE workspace_id = {d.parameter} AND id = {d.parameter} RETURNING id"
    )
)
_ADD = Statement(
    lambda d: (
        f"INSERT INTO memberships (workspace_id, user_id, account_id, role, position) "
        f"VALUES ({', '.join([d.parameter] * 5)}) ON CONFLICT (workspace_id, user_id, account_id) DO UPDATE SET "
        "role = coalesce(excluded.role, memberships.role) RETURNING position"
    )
)


def count(workspace: int, account_id: str, by: int) -> bool:
    """Change the number of members; whoever it is becomes an account (engage.md section 4.5) and is locked.

    Returns whether there is such a user.
    """
    return bool(_COUNT(by, workspace, account_id))


def add(workspace: int, user_id: str, account_id: str, role: str | None) -> None:
    """Put the user in the account, or set the role where one is given and the user is in it already."""
    _ADD(workspace, user_id, account_id, role, ids.new())


_LEAVE_ALL = Statement(
    lambda d: (
        f"UPDATE users SET member_count = member_count - 1 WHERE workspace_id = {d.parameter} AND id IN "
        f"(SELECT account_id FROM memberships WHERE workspace_id = {d.parameter} AND user_id = {d.parameter}) "
        "RETURNING id"
    )
)


def discount(workspace: int, user_id: str) -> None:
    """Take the user, who is about to go, out of the counts of all accounts."""
    _LEAVE_ALL(workspace, workspace, user_id)
