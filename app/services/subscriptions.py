"""Subscriptions: who is on which list (engage.md section 5).

Users are locked first, then lists in the order of their ids, so that two requests cannot block each other, and
`subscriber_count` changes in the same transaction as what it counts.
"""

from collections.abc import Iterable

from app import errors
from app.models import lists as store
from app.models.lists import COUNTED, SUBSCRIBED
from app.services.segments import membership


def subscribe(workspace: int, user_id: str, list_ids: list[str]) -> None:
    """Subscribe a locked user without asking for a confirmation; places that are there already stay in any case.

    Call in a transaction. Raises errors.InvalidInput, naming the first list that is unknown or, for one who is not
    subscribed yet, archived.
    """
    now = store.statuses(workspace, user_id)
    for list_id in sorted({one for one in list_ids if now.get(one) != SUBSCRIBED}):
        if not put(workspace, user_id, list_id, now.get(list_id), SUBSCRIBED):
            field = f"lists.{list_ids.index(list_id)}"
            raise errors.InvalidInput({field: ["Must be the id of a list that is not archived."]})


def put(workspace: int, user_id: str, list_id: str, before: str | None, status: str) -> bool:
    """Give the place of a locked user on the list a status; `before` is what it was, None when there was none.

    Call in a transaction, which must end when this answers False: there is no such list, or it is archived and the
    place would be a new one.
    """
    counts = int(status in COUNTED) - int(before in COUNTED)
    is_open = store.count(workspace, list_id, counts)
    if not is_open and (counts > 0 or store.find(workspace, list_id) is None):
        return False
    store.set_status(workspace, user_id, list_id, status)
    membership.mark_ids(workspace, user_id)
    return True


def leave(workspace: int, user_id: str, list_ids: Iterable[str]) -> None:
    """Take a locked user off these lists; where there is no place nothing happens. Call in a transaction."""
    now = store.statuses(workspace, user_id)
    for list_id in sorted(set(list_ids) & now.keys()):
        store.count(workspace, list_id, -int(now[list_id] in COUNTED))
        store.remove(workspace, user_id, list_id)
    membership.mark_ids(workspace, user_id)
