"""Accounts: users that have members (engage.md section 4.5)."""

from collections.abc import Sequence
from typing import Any

from app import errors
from app.domain import cursors
from app.domain.cursors import Page
from app.models import accounts as store
from app.models import users as users_store
from app.models.database import statement, transaction
from app.models.users import UserRow
from app.services import memberships, users
from app.services.segments import membership


@transaction
def convert(workspace: int, uid: str, is_account: bool) -> UserRow:
    """Make the user an account, or a customer; its members stay either way. Raises errors.UserNotFound."""
    users.lock(workspace, uid)
    return users.update(workspace, uid, {"is_account": is_account}, full=True).user


@transaction
def join(workspace: int, uid: str, wanted: Sequence[dict[str, Any]]) -> UserRow:
    """Put the user in accounts, each `{"id": uid, "role"?: text}`, all or none.

    Raises errors.UserNotFound, AccountNotFound, InvalidInput when one of them is the user itself.
    """
    locked = memberships.lock(workspace, uid, wanted)
    if uid not in locked:
        raise errors.UserNotFound()
    memberships.put(workspace, locked[uid], wanted, locked)
    return users.retrieve(workspace, uid)


@transaction
def set_role(workspace: int, uid: str, account: str, role: str | None) -> UserRow:
    """Give the user another role in the account. Raises errors.UserNotFound, AccountNotFound when not in it too."""
    if not store.set_role(workspace, *_lock(workspace, uid, account), role):
        raise errors.AccountNotFound("The user is not in this account.")
    membership.mark(workspace, uid)
    return users.retrieve(workspace, uid)


@transaction
def leave(workspace: int, uid: str, account: str) -> UserRow:
    """Take the user out of the account. Raises errors.UserNotFound, AccountNotFound when not in it too."""
    if not store.remove(workspace, *_lock(workspace, uid, account)):
        raise errors.AccountNotFound("The user is not in this account.")
    membership.mark(workspace, uid, account)
    return users.retrieve(workspace, uid)


@statement
def members(workspace: int, uid: str, limit: int, after: str | None, before: str | None) -> Page:
    """Return the members of the account in the order of their ids; see `users.page`. Raises errors.UserNotFound."""
    account_id = users_store.find_id(workspace, uid)
    if account_id is None:
        raise errors.UserNotFound()
    ids, behind = store.members(workspace, account_id, limit + 1, before or after, descending=before is not None)
    found = sorted(
        membership.shown(workspace, users_store.find_all(workspace, ids)),
        key=lambda user: user.id,
        reverse=before is not None,
    )
    return cursors.page(found, behind, limit, backwards=before is not None)


def _lock(workspace: int, uid: str, account: str) -> tuple[str, str]:
    """Lock both and return their ids."""
    locked = users_store.lock_all(workspace, {uid, account})
    if uid not in locked:
        raise errors.UserNotFound()
    if account not in locked:
        raise errors.AccountNotFound()
    return locked[uid], locked[account]
