"""Memberships in accounts (engage.md section 4.5): the part of `accounts` that `users` needs too.

A place in an account is changed by whoever holds the locks of both, the user and the account.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from app import errors
from app.models import accounts as store
from app.models import users
from app.services.segments import membership


def lock(workspace: int, uid: str, wanted: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Lock the user, who need not exist yet, and the accounts named; return {uid: id}. Call in a transaction."""
    return users.lock_all(workspace, {uid, *(one["id"] for one in wanted)})


def put(
    workspace: int, user_id: str, wanted: Sequence[dict[str, Any]], locked: Mapping[str, str], is_order: bool = True
) -> None:
    """Put the user in these accounts, each `{"id": uid, "role"?: text}`; locked: what `lock` returned.

    is_order: whether an account that was made a customer becomes one again where the user is in it already: what
    merely describes the user changes nothing then.
    Raises errors.AccountNotFound for the first that is unknown, errors.InvalidInput for the user itself.
    """
    joined = store.joined(workspace, user_id)
    for index, one in enumerate(wanted):
        account_id = locked.get(one["id"])
        if account_id is None:
            raise errors.AccountNotFound(f"accounts.{index}.id: There is no account with this uid.")
        if account_id == user_id:
            raise errors.InvalidInput({f"accounts.{index}.id": ["Must be another user than the one who joins."]})
        role = one.get("role")
        if not is_order and account_id in joined and role in (None, joined[account_id]):
            continue
        store.count(workspace, account_id, by=int(account_id not in joined))
        store.add(workspace, user_id, account_id, role)
        joined[account_id] = role or joined.get(account_id)
    membership.mark_ids(workspace, user_id, *locked.values())
