"""Memberships: who is in which account (engage.md section 4.5). The low half of `accounts`, which `users` needs too."""

from collections.abc import Sequence
from typing import Any

from app import errors
from app.models import accounts as store


def put(workspace: int, user_id: str, wanted: Sequence[dict[str, Any]]) -> None:
    """Put a locked user in these accounts, each `{"id": uid, "role"?: text}`; accounts are locked in the order of ids.

    Call in a transaction. Raises errors.AccountNotFound for the first that is unknown, errors.InvalidInput for the
    user itself.
    """
    joined = store.joined(workspace, user_id)
    by_id = sorted(store.find_ids(workspace, [one["id"] for one in wanted]).items(), key=lambda pair: pair[1])
    found = {uid: id for uid, id in by_id if store.count(workspace, id, by=int(id not in joined))}
    for index, one in enumerate(wanted):
        account_id = found.get(one["id"])
        if account_id is None:
            raise errors.AccountNotFound(f"accounts.{index}.id: There is no account with this uid.")
        if account_id == user_id:
            raise errors.InvalidInput({f"accounts.{index}.id": ["Must be another user than the one who joins."]})
        store.add(workspace, user_id, account_id, one.get("role"))
