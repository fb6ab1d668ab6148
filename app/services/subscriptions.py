"""Subscriptions: users on lists (engage.md section 5). app/domain/consent.py decides about each place.

Users are locked first, then lists in the order of their ids, so that two requests cannot block each other, and
`subscriber_count` changes in the same transaction as what it counts.
"""

from collections.abc import Iterable, Sequence

from app import errors
from app.domain.consent import SUBSCRIBED, Act, decide
from app.domain.writes import Place
from app.models import lists as store
from app.models.lists import COUNTED
from app.services.segments import membership

_NO_LIST = "Must be the id of a list that is not archived."


def subscribe(workspace: int, user_id: str, list_ids: Sequence[str]) -> None:
    """Subscribe a locked user, whatever was before, without a confirmation. Raises as `put_all`."""
    put_all(workspace, user_id, [Place(one, SUBSCRIBED) for one in list_ids], Act.SUBSCRIBE)


def put_all(workspace: int, user_id: str, wanted: Sequence[Place], act: Act) -> dict[str, str]:
    """Do what a body asks for of a locked user's places, in order; return {list id: what it makes of no place}.

    Call in a transaction. Raises errors.InvalidInput, naming the first list that is unknown or, where it would take
    somebody new, archived.
    """
    now, anew = store.statuses(workspace, user_id), {}
    for list_id in sorted({one.list_id for one in wanted}):
        found = store.find(workspace, list_id)
        before = status = now.get(list_id)
        for place in [one for one in wanted if one.list_id == list_id and found is not None]:
            status = decide(status, act, place.status, found.double_optin)  # type: ignore[union-attr]
            anew[list_id] = decide(None, act, place.status, found.double_optin) or ""  # type: ignore[union-attr]
        if found is None or (status != before and not change(workspace, user_id, list_id, before, status)):
            index = next(index for index, one in enumerate(wanted) if one.list_id == list_id)
            raise errors.InvalidInput({f"lists.{index}": [_NO_LIST]})
    return anew


def change(workspace: int, user_id: str, list_id: str, before: str | None, status: str | None) -> bool:
    """Give the place of a locked user on the list a status, None for no place; `before` is what it was.

    Call in a transaction, which must end when this answers False: there is no such list, or it is archived and would
    take somebody new.
    """
    if status == before:
        return True
    counts = int(status in COUNTED) - int(before in COUNTED)
    is_open = store.count(workspace, list_id, counts)
    if not is_open and (counts > 0 or store.find(workspace, list_id) is None):
        return False
    if status is None:
        store.remove(workspace, user_id, list_id)
    else:
        store.set_status(workspace, user_id, list_id, status)
    membership.mark_ids(workspace, user_id)
    return True


def leave(workspace: int, user_id: str, list_ids: Iterable[str]) -> None:
    """Take a locked user off these lists; a place that was left stays, as it says so. Call in a transaction."""
    now = store.statuses(workspace, user_id)
    for list_id in sorted(set(list_ids) & now.keys()):
        change(workspace, user_id, list_id, now[list_id], decide(now[list_id], Act.REMOVE))
