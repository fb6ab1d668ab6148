"""Memberships of users in accounts. An account is a user too."""

from collections.abc import Sequence

import peewee

from app.domain import ids
from app.models.database import BaseModel, Statement, db
from app.models.keyset import Filter, Keyset, of_workspace


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


def joined(workspace: int, user_id: str) -> dict[str, str | None]:
    """Return {account id: role} of the accounts that the user is in."""
    query = Membership.select(Membership.account_id, Membership.role).where(
        (Membership.workspace_id == workspace) & (Membership.user_id == user_id)
    )
    return {row.account_id: row.role for row in query}


_COUNT = Statement(
    "UPDATE users SET is_account = TRUE, member_count = member_count + ? "
    "WHERE workspace_id = ? AND id = ? AND (? OR NOT is_account) RETURNING id"
)
_UNCOUNT = Statement("UPDATE users SET member_count = member_count - 1 WHERE workspace_id = ? AND id = ? RETURNING id")
_ADD = Statement(
    "INSERT INTO memberships (workspace_id, user_id, account_id, role, position) "
    "VALUES (?, ?, ?, ?, ?) ON CONFLICT (workspace_id, user_id, account_id) DO UPDATE SET "
    "role = coalesce(excluded.role, memberships.role) RETURNING position"
)
_SET_ROLE = Statement(
    "UPDATE memberships SET role = ? WHERE workspace_id = ? AND user_id = ? AND account_id = ? RETURNING account_id"
)
_REMOVE = Statement(
    "DELETE FROM memberships WHERE workspace_id = ? AND user_id = ? AND account_id = ? RETURNING account_id"
)


def count(workspace: int, account_id: str, by: int) -> None:
    """Change the number of members; the user becomes an account (engage.md section 4.5). Writes only a change."""
    _COUNT(by, workspace, account_id, by != 0)


def add(workspace: int, user_id: str, account_id: str, role: str | None) -> None:
    """Put the user in the account, or set the role where one is given and the user is in it already.

    Call `count` first.
    """
    _ADD(workspace, user_id, account_id, role, ids.new())


def set_role(workspace: int, user_id: str, account_id: str, role: str | None) -> bool:
    """Give the user another role in the account. Returns whether the user is in it."""
    return bool(_SET_ROLE(role, workspace, user_id, account_id))


def remove(workspace: int, user_id: str, account_id: str) -> bool:
    """Take the user out of the account and its count. Returns whether the user was in it."""
    was_in = bool(_REMOVE(workspace, user_id, account_id))
    if was_in:
        _UNCOUNT(workspace, account_id)
    return was_in


_MEMBERS = Keyset("memberships", lambda d: "memberships.user_id", key="user_id")


def members(
    workspace: int, account_id: str, count: int, cursor: str | None, descending: bool
) -> tuple[list[str], bool]:
    """Return the ids of members, as Keyset says."""
    filters = [of_workspace(workspace), Filter("{row}.account_id = ?", (account_id,))]
    rows, behind = _MEMBERS(count, filters, cursor, descending)
    return [user_id for (user_id,) in rows], behind


_DISCOUNT = Statement(
    lambda d: (
        "UPDATE users SET member_count = member_count - (SELECT count(*) FROM memberships "
        "WHERE memberships.workspace_id = users.workspace_id AND memberships.account_id = users.id "
        f"AND memberships.user_id {d.in_array}) WHERE workspace_id = ? "
        f"AND id IN (SELECT account_id FROM memberships WHERE workspace_id = ? AND user_id {d.in_array}) RETURNING id"
    )
)
_LEAVE = Statement(
    lambda d: (
        f"DELETE FROM memberships WHERE workspace_id = ? AND (user_id {d.in_array} OR account_id {d.in_array}) "
        "RETURNING user_id"
    )
)


def leave_all(workspace: int, user_ids: Sequence[str]) -> None:
    """Take users out of all accounts and their counts, and everybody out of them where they are accounts.

    All of them, and the accounts, must be locked.
    """
    discount(workspace, user_ids)
    ids = db.obj.array(user_ids)
    _LEAVE(workspace, ids, ids)


def discount(workspace: int, user_ids: Sequence[str]) -> None:
    """Take users, who are about to go, out of the counts of all accounts, which must be locked."""
    ids = db.obj.array(user_ids)
    _DISCOUNT(ids, workspace, workspace, ids)
