"""Merge one user into another (engage.md section 4.6)."""

import contextlib

from app import errors
from app.domain.actions import Action
from app.models import merges as store
from app.models import replies, users
from app.models.database import transaction
from app.models.erasures import erased_uids
from app.services import audit, erasures
from app.services.audit import Caller
from app.services.segments import membership


@transaction
def merge(workspace: int, source: str, destination: str, full: bool, caller: Caller) -> None:
    """Merge the user of one uid into that of another; the source is gone then.

    The destination wins a conflict and has its blanks filled; devices, lists, accounts, meta and events are joined. A
    missing destination gives its uid to the source, a missing source changes nothing. full: whether the secret was
    given; the public key alone may merge a source with neither email nor number.
    Raises errors.InvalidInput for the same uid twice or too many meta keys, SecretNeeded, StorageUnavailable; then
    nothing has changed.
    """
    if source == destination:
        raise errors.InvalidInput({"destination": ["Must be another uid than the source."]})
    locked = users.lock_all(workspace, (source, destination), with_accounts=True)
    if source not in locked:
        return
    if not full and users.is_known(workspace, locked[source]):
        raise errors.SecretNeeded("Merging a user with an email or a number needs the secret key.")
    while destination not in locked:
        with contextlib.suppress(errors.UidTaken):  # somebody made it meanwhile
            users.rename(workspace, locked[source], destination, any_user=True)
            replies.pass_on(workspace, [source], locked[source])
            erased_uids.forget(workspace, [source])
            membership.mark_ids(workspace, locked[source])
            audit.record(workspace, caller, Action.USER_MERGED, locked[source], locked[source])
            return
        locked = users.lock_all(workspace, (source, destination), with_accounts=True)
    if store.fill(workspace, locked[source], locked[destination]) > users.MAX_META_KEYS:
        raise errors.InvalidInput({"source": [f"Must not bring meta beyond {users.MAX_META_KEYS} keys."]})
    store.move(workspace, locked[source], locked[destination])
    erasures.note_merge(workspace, locked[source], locked[destination], (source, destination))
    users.delete(workspace, locked[source])
    membership.mark_ids(workspace, locked[destination])
    audit.record(workspace, caller, Action.USER_MERGED, locked[source], locked[destination])
