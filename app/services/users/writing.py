"""Users: create, retrieve, update, delete, and the pages of them (engage.md sections 3 and 4)."""

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from app import clock, errors
from app.domain import cursors, ids, shape, uids
from app.domain.actions import Action
from app.domain.consent import Act
from app.domain.contacts import key_of_email, key_of_number
from app.domain.cursors import Page
from app.models import devices
from app.models import users as store
from app.models.database import statement, transaction, unrepeated
from app.models.erasures.journal import Entry
from app.models.keyset import of_workspace
from app.models.users import UserRow
from app.services import audit, conditions, erasures, memberships, subscriptions
from app.services.audit import Caller
from app.services.conditions import Holds
from app.services.segments import membership

# Fields that are not columns of the user: with one of them a write takes more than one statement.
_BESIDE = ("device_token", "lists", "accounts")


class Saved(NamedTuple):
    """A user after a write, and whether this write made it.

    places: {list id: status} of the lists that were sent, as for somebody new: all that the public key is told of them.
    """

    user: UserRow
    created: bool
    places: Mapping[str, str] = {}


@statement
def retrieve(workspace: int, uid: str) -> UserRow:
    """Return the user of that uid. Raises errors.UserNotFound."""
    found = store.find(workspace, uid)
    if found is None:
        raise errors.UserNotFound()
    return membership.shown(workspace, [found])[0]


def create(workspace: int, id: str, changes: Mapping[str, Any], full: bool) -> Saved:
    """Make the user of that uid, or update the one there is (engage.md section 4.1).

    changes, full and the errors are those of `update`.
    """
    return _save(workspace, id, changes, full)


def update(workspace: int, uid: str, changes: Mapping[str, Any], full: bool) -> Saved:
    """Change the fields given of that uid's user, who is made where there is none (engage.md section 4.2).

    changes: fields as app/schemas/users.py loads them; `uid` renames a user who has no uid of its own yet. `of_id`, of
    an item of a batch: the internal id that the user must have, or, if no user has the uid, that of the one to rename.
    full: whether the secret was given; the public key alone may not change an email.
    Raises errors.InvalidInput, EmailChange, UidTaken, StorageUnavailable; then nothing has changed.
    """
    new_uid = changes.get("uid", uid)
    if "of_id" in changes:
        return _update_that(
            workspace, uid, changes["of_id"], {name: changes[name] for name in changes if name != "of_id"}
        )
    if new_uid != uid:
        return _rename(workspace, uid, new_uid, changes, full)
    if full and _find_claimants(workspace, changes):
        return _claim(workspace, uid, changes)
    return _save(workspace, uid, changes, full)


@transaction
def patch(workspace: int, uid: str, changes: Mapping[str, Any]) -> Saved:
    """Merge the changes into the user, who is made where there is none (RFC 7396): None removes, also a key of meta.

    The rest is as in `update`, with the secret. Raises what that raises.
    """
    store.lock(workspace, uid)
    now = store.find(workspace, uid)
    given = changes.get("meta", {})
    meta = {key: value for key, value in (given or {}).items() if value is not None}
    if now:
        for key in now.meta if given is None else [key for key, value in given.items() if value is None]:
            store.remove_meta(workspace, now.id, key)
    return update(workspace, uid, {**changes, "meta": meta}, full=True)


def delete(workspace: int, uid: str, caller: Caller, holds: Holds | None = None) -> None:
    """Erase the user and everything that hangs on it; on return it stands in the journal of erasures (docs/erasure.md).

    Not for inside a transaction: the file of the journal takes what is committed. holds: as of `conditions.held`.
    Raises errors.UserNotFound, PreconditionFailed, StorageUnavailable; after the last the user may be gone already.
    """
    erasures.write_down(_erase(workspace, uid, caller, holds))


@transaction
def _erase(workspace: int, uid: str, caller: Caller, holds: Holds | None) -> list[Entry]:
    id = store.lock_all(workspace, (uid,), with_accounts=True).get(uid)
    if id is None:
        raise errors.UserNotFound()
    if holds is not None:
        conditions.check(workspace, uid, holds)
    audit.record(workspace, caller, Action.USER_DELETED, id)
    return erasures.erase(workspace, id, uid)


@statement
def page(
    workspace: int,
    limit: int,
    after: str | None = None,
    before: str | None = None,
    descending: bool = False,
    meta: Mapping[str, str] | None = None,
    segment: str | None = None,
    **filters: Any,
) -> Page:
    """Return users in the order of their ids, or against it: those after the one cursor, or those before the other.

    limit: rows at most. meta: attributes to have, as text. segment: its id. filters: those that `app.models.users.by`
    knows. Where the filters meet few of many users, a page may come short, even empty, with the cursor of the next.
    Raises errors.SegmentNotFound.
    """
    wanted = [of_workspace(workspace)]
    wanted += [store.by(name, value) for name, value in filters.items()]
    wanted += [store.by_meta(key, text) for key, text in (meta or {}).items()]
    wanted += [membership.condition(workspace, segment)] if segment is not None else []
    backwards = before is not None
    where = limit + 1, wanted, before or after, backwards != descending
    in_time = store.page_in_time(*where)
    if in_time is not None:
        found, behind = in_time
        return cursors.page(membership.shown(workspace, found), behind, limit, backwards)
    found, end = store.page_in_windows(*where)
    return cursors.short_page(membership.shown(workspace, found), before or after, end, limit, backwards)


def lock(workspace: int, uid: str) -> str:
    """Return the id of the user and keep it from changing; call in a transaction. Raises errors.UserNotFound."""
    id = store.lock(workspace, uid)
    if id is None:
        raise errors.UserNotFound()
    return id


@transaction
def archive(workspace: int, uid: str) -> None:
    """Archive the user: it stays, its events are dropped from now on. Twice is as once. Raises errors.UserNotFound."""
    if not store.archive(workspace, uid, clock.now()):
        raise errors.UserNotFound()
    membership.mark(workspace, uid)


@transaction
def remove_attribute(workspace: int, uid: str, name: str) -> UserRow:
    """Remove an attribute from meta, where it need not be, and return the user. Raises errors.UserNotFound."""
    store.remove_meta(workspace, lock(workspace, uid), name)
    membership.mark(workspace, uid)
    return retrieve(workspace, uid)


@transaction
def remove_device(workspace: int, uid: str, token: str) -> UserRow:
    """Forget a push token of the user, if it is the user's, and return the user. Raises errors.UserNotFound."""
    devices.remove(workspace, lock(workspace, uid), token)
    membership.mark(workspace, uid)
    return retrieve(workspace, uid)


def fill(workspace: int, uid: str, changes: Mapping[str, Any]) -> None:
    """Give a user what it does not have yet: blank fields and new keys of meta. Call in a transaction.

    Raises errors.InvalidInput for too many keys.
    """
    store.lock(workspace, uid)
    now = retrieve(workspace, uid)
    blanks = {name: value for name, value in changes.items() if _is_blank(now, name)}
    meta = {key: value for key, value in (changes.get("meta") or {}).items() if key not in now.meta}
    if blanks or meta:
        _save(workspace, uid, {**blanks, "meta": meta}, full=True)


def _is_blank(user: UserRow, name: str) -> bool:
    return name in shape.FIELDS and shape.FIELDS[name].is_filled and getattr(user, name) is None


def make_without_uid(workspace: int, changes: Mapping[str, Any]) -> UserRow:
    """Create a user without a uid of its own: its id is its uid until a caller gives it one (engage.md 3)."""
    id = ids.new()
    return _save(workspace, id, {**changes, "uid_updateable": True}, full=True, id=id).user


def save_without_uid(workspace: int, changes: Mapping[str, Any]) -> UserRow:
    """Change the user that `find_to_change` returns; make one without a uid if there is none. Call in a transaction."""
    uid = find_to_change(workspace, changes)
    return make_without_uid(workspace, changes) if uid is None else update(workspace, uid, changes, full=True).user


def find_to_change(workspace: int, person: Mapping[str, Any]) -> str | None:
    """Return the uid of the oldest user of the email given, else of the number: as lists find their subscribers.

    Call in a transaction: where there is none, others who look for that person wait until it ends.
    """
    uid = _find_by_contact(workspace, person)
    if uid is None:
        for field, key in (("email", key_of_email), ("number", key_of_number)):
            if person.get(field):
                store.take_turns(workspace, key(person[field]))
        uid = _find_by_contact(workspace, person)
    return uid


def _find_by_contact(workspace: int, person: Mapping[str, Any]) -> str | None:
    for field in ("email", "number"):
        if person.get(field):
            found, _ = store.page(1, [of_workspace(workspace), store.by(field, person[field])], None, descending=False)
            if found:
                return found[0].uid
    return None


# ---- the write ----------------------------------------------------------------------------------------------------


def _save(workspace: int, uid: str, changes: Mapping[str, Any], full: bool, id: str | None = None) -> Saved:
    fields = {name: value for name, value in changes.items() if not (name == "meta" and not value)}
    if fields.pop("archived", None) is False:
        fields["archived_at"] = None
    write = _save_all if any(fields.get(name) for name in _BESIDE) else _save_fields
    saved = write(workspace, uid, fields, full, id or ids.new())
    if saved.user.rules is not None:
        membership.mark_ids(workspace, saved.user.id)
    return saved._replace(user=membership.shown(workspace, [saved.user])[0])


@unrepeated
def _save_fields(workspace: int, uid: str, fields: Mapping[str, Any], full: bool, id: str) -> Saved:
    known = None if fields else store.find(workspace, uid)  # SDKs identify with nothing new: that needs no write
    return Saved(known, False) if known else _upsert(workspace, uid, fields, full, id)


@transaction
def _save_all(workspace: int, uid: str, fields: Mapping[str, Any], full: bool, id: str) -> Saved:
    wanted = fields.get("accounts") or ()
    locked = memberships.lock(workspace, uid, wanted) if wanted else {}
    user, created, _ = _upsert(workspace, uid, fields, full, id)
    act = Act.SENT if full else Act.SENT_PUBLICLY
    places = subscriptions.put_all(workspace, user.id, fields.get("lists") or (), act)
    if wanted:
        _join(workspace, user.id, wanted, {**locked, uid: user.id})
    if fields.get("device_token"):
        devices.put(workspace, user.id, fields["device_token"], fields.get("device_platform"))
    membership.mark_ids(workspace, user.id)
    return Saved(retrieve(workspace, uid), created, places)


def _upsert(workspace: int, uid: str, fields: Mapping[str, Any], full: bool, id: str) -> Saved:
    user = store.upsert(workspace, id, uid, fields, clock.now(), guard_email=not full)
    if user is not None:
        return Saved(user, user.id == id)
    stored = retrieve(workspace, uid).email
    if not full and "email" in fields and stored not in (None, fields["email"]):
        raise errors.EmailChange()
    raise too_many_keys()


def too_many_keys() -> errors.InvalidInput:
    """Return the failure of a user who would have too much meta."""
    return errors.InvalidInput({"meta": [f"Must have at most {store.MAX_META_KEYS} keys."]})


def _join(workspace: int, user_id: str, wanted: Sequence[dict[str, Any]], locked: Mapping[str, str]) -> None:
    try:
        memberships.put(workspace, user_id, wanted, locked, is_order=False)
    except errors.AccountNotFound as error:  # in a body that is about something else it is bad input
        field, _, message = str(error).partition(": ")
        raise errors.InvalidInput({field: [message]}) from None


# ---- users without a uid of their own -----------------------------------------------------------------------------


@transaction
def _rename(workspace: int, uid: str, new_uid: str, changes: Mapping[str, Any], full: bool) -> Saved:
    store.lock(workspace, uid)
    user = store.find(workspace, uid)
    if user is None or not user.uid_updateable or not store.rename(workspace, user.id, new_uid):
        raise errors.InvalidInput({"uid": ["Must be the uid in the path: this user has a uid of its own."]})
    return _save(workspace, new_uid, {**changes, "uid": new_uid}, full)


@transaction
def _update_that(workspace: int, uid: str, id: str, changes: Mapping[str, Any]) -> Saved:
    store.lock(workspace, uid)
    user = store.find(workspace, uid)
    named = store.find(workspace, id) if user is None else None
    if named is not None and named.uid_updateable:
        return _rename(workspace, id, uid, changes, full=True)
    if user is None or user.id != id:
        raise errors.InvalidInput({"id": [uids.NOT_THAT_USER]})
    return _save(workspace, uid, changes, full=True)


@statement
def _find_claimants(workspace: int, changes: Mapping[str, Any]) -> list[str]:
    return store.claimants(workspace, changes)


@transaction
def _claim(workspace: int, uid: str, changes: Mapping[str, Any]) -> Saved:
    claim(workspace, uid, changes)
    return _save(workspace, uid, changes, full=True)


def claim(workspace: int, uid: str, changes: Mapping[str, Any]) -> None:
    """Give an unused uid to the only updateable user with the email given, else with the number.

    Call in a transaction. Raises errors.InvalidInput where the changes would leave that user too much meta.
    """
    candidates = store.claimants(workspace, changes)
    if len(candidates) == 1 and store.find_id(workspace, uid) is None:
        if not store.fits(store.find_all(workspace, candidates)[0].meta, changes.get("meta", {})):
            raise too_many_keys()
        with contextlib.suppress(errors.UidTaken):  # somebody made that uid meanwhile: then it is updated
            store.rename(workspace, candidates[0], uid)
