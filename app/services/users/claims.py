"""Claims: writes in a batch that give their uid to a user without one (engage.md section 4.2).

That goes by what is stored when it is the write's turn. So that others need not be done one by one for it, this finds
which of them could be claims at all.
"""

from collections.abc import Mapping, Sequence, Set
from typing import Any, NamedTuple

from app.domain.writes import Alike, Item
from app.models import users as store
from app.models.database import statement

Fields = Mapping[str, Any]


class Claims(NamedTuple):
    """What can be claimed. keys: emails and numbers of users without a uid of their own.

    are_moving: whether the batch itself changes such users, so that writes before a claim must be done before it.
    """

    keys: Set[tuple[str, str]] = frozenset()
    are_moving: bool = False

    def may_be(self, fields: Fields) -> bool:
        """Return True if a write of these fields may claim a user."""
        return bool(self.keys) and not self.keys.isdisjoint(store.keys_of(fields)[:1])


@statement
def are_possible(workspace: int) -> bool:
    """Return True if there is anybody to be claimed. Raises errors.StorageUnavailable."""
    return store.has_updateable(workspace)


def find(workspace: int, items: Sequence[Item]) -> Claims:
    """Return what the items could claim, of what is stored and of the nameless users to be made.

    One statement where there is nobody without a uid of its own, else two; call in a transaction.
    """
    nameless = [] if isinstance(items, Alike) else [item for item in items if item.type == "nameless"]
    keys = {key for item in nameless for key in store.keys_of(item.fields)}
    if not store.has_updateable(workspace):
        return Claims(keys)
    writes = [item for item in items if item.type != "nameless"]
    wanted = {key for item in writes for key in store.keys_of(item.fields)[:1]}
    claimable, uids = store.find_claimable(workspace, wanted, {item.uid for item in writes})
    moving = {key for item in writes if item.uid in uids for key in store.keys_of(item.fields)}
    return Claims(keys | claimable | moving, bool(uids))
