"""Erase users for good: all their rows, and a journal entry that survives a restore.

The journal is a table and, where there is one, a file (docs/erasure.md). It knows users by a keyed hash of their
internal ids, which are never given twice: somebody who comes back under the same uid is somebody new.
"""

import hashlib
import hmac
from collections.abc import Collection
from itertools import groupby
from operator import attrgetter

from app import clock, errors, logs
from app.domain.actions import Action
from app.models import accounts, lists, replies, users
from app.models import erasures as store
from app.models.database import statement, transaction
from app.models.erasures import erased_uids, journal
from app.models.erasures.journal import Entry
from app.models.schema import only_one
from app.models.workspaces import Workspace
from app.services import audit, workspaces

_CONTEXT = b"rollcall erasure\n"  # keeps these hashes apart from whatever else the key of the workspace signs
_DAY = 86_400_000  # milliseconds
_journal = ""  # path of the file in use; none when empty
_uid_days = 0  # that an erased uid takes no events


def open_journal(path: str) -> None:
    """Make this the file of the journal; none when empty. Nothing is read or made yet."""
    global _journal
    _journal = path


def keep_uids(days: int) -> None:
    """Let no event make an erased uid anew for so many days."""
    global _uid_days
    _uid_days = days


def note_uids(workspace: int, uids: Collection[str]) -> None:
    """Note that these uids are erased, so that late events about them are not stored. Call in the transaction of it."""
    erased_uids.note(workspace, uids, clock.now() + _uid_days * _DAY)


def forget_uids() -> None:
    """Forget the erased uids that were kept long enough. Raises errors.StorageUnavailable."""
    for owner in workspaces.everything():
        _forget_uids(owner.id)


@transaction
def _forget_uids(workspace: int) -> None:
    erased_uids.forget_expired(workspace, clock.now())


def erase(workspace: int, id: str, uid: str) -> list[Entry]:
    """Remove the locked user, all that hangs on it and every reply about it; return what the journal shall hold.

    Those who were merged into the user are in it too: a backup may have them. Call in a transaction; give the entries
    to `write_down` once it is committed, and answer nobody before.
    """
    known_as = [id, *store.merged_into(workspace, [id])]
    replies.erase(workspace, [uid, *known_as])
    accounts.discount(workspace, [id])
    lists.discount(workspace, [id])
    users.delete(workspace, id)
    if uid != users.hidden_uid(id):  # else `deletions.request` has noted it
        note_uids(workspace, [uid])
    key, now = _key(workspace), clock.now()
    entries = [Entry(workspace, _hash(key, one), now) for one in known_as]
    store.note(entries)
    return entries


def note_merge(workspace: int, source_id: str, destination_id: str, uids: tuple[str, ...]) -> None:
    """Note that from now on whoever erases the destination means the source too. Call in the merge's transaction.

    uids: those that the two have; replies that show the source go with the destination.
    """
    store.note_merge(workspace, source_id, destination_id)
    erased_uids.forget(workspace, uids)
    replies.pass_on(workspace, [source_id, *uids], destination_id)


def write_down(entries: list[Entry]) -> None:
    """Add entries that are committed to the file of the journal; on return they are on disk.

    Raises errors.StorageUnavailable; then `catch_up` adds them later.
    """
    if not _journal or not entries:
        return
    try:
        journal.append(_journal, entries)
    except OSError as error:
        logs.warning("erasure_journal_failed", error=error.strerror)
        raise errors.StorageUnavailable("The journal of erasures cannot be written just now.") from None


def catch_up() -> int:
    """Make the file and the table of the journal agree; return how many users were erased for it.

    What the file alone has comes from before a backup was restored: those users are erased again. Reads both whole,
    and the ids of a workspace's users only when there is something new for it. Raises errors.StorageUnavailable.
    """
    if not _journal:
        return 0
    written, known = _written(), _known()
    write_down([known[one] for one in known.keys() - written.keys()])
    missing = sorted(written[one] for one in written.keys() - known.keys())
    return apply(missing)


def known() -> list[Entry]:
    """Return all that the table of the journal holds. Raises errors.StorageUnavailable."""
    return list(_known().values())


def apply(entries: list[Entry]) -> int:
    """Erase the users of these entries wherever they are there, and put the entries in the table.

    Returns how many users were there. Raises errors.StorageUnavailable.
    """
    if not entries:
        return 0
    with only_one():
        here = {owner.id for owner in workspaces.everything()}
        of_each = groupby(sorted(entries), attrgetter("workspace"))
        return sum(_apply(workspace, list(some)) for workspace, some in of_each if workspace in here)


def _apply(workspace: int, entries: list[Entry]) -> int:
    wanted, key = {one.user_hash for one in entries}, _key(workspace)
    found = [(id, uid) for id, uid in store.ids_and_uids(workspace) if _hash(key, id) in wanted]
    for id, uid in found:
        write_down(_erase(workspace, id, uid))
    _note(entries)
    if found:
        logs.warning("erased_again", users=len(found), hint="a backup had brought back who was erased since")
    return len(found)


@transaction
def _erase(workspace: int, id: str, uid: str) -> list[Entry]:
    """The audit log of a backup knows nothing of it either; who asked for it then is not known any more."""
    users.lock_id(workspace, id)
    audit.record(workspace, audit.SHELL, Action.USER_DELETED, id)
    return erase(workspace, id, uid)


@transaction
def _note(entries: list[Entry]) -> None:
    store.note(entries)


@statement
def _known() -> dict[tuple[int, str], Entry]:
    return {one[:2]: one for owner in workspaces.everything() for one in store.of_workspace(owner.id)}


def _written() -> dict[tuple[int, str], Entry]:
    try:
        return {one[:2]: one for one in journal.read(_journal)}
    except OSError as error:
        raise errors.StorageUnavailable(f"The journal of erasures cannot be read ({error.strerror}).") from None


@statement
def _key(workspace: int) -> bytes:
    return str(Workspace.get_by_id(workspace).signing_key).encode()


def _hash(key: bytes, user_id: str) -> str:
    return hmac.new(key, _CONTEXT + user_id.encode(), hashlib.sha256).hexdigest()
