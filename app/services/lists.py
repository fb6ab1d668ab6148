"""Lists: made, changed, archived, and people put on them (engage.md section 5)."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from app import clock, cursors, errors
from app.actions import Action
from app.cursors import Page
from app.models import lists as store
from app.models import users as users_store
from app.models.database import statement, transaction
from app.models.keyset import of_workspace
from app.models.lists import PENDING, SUBSCRIBED, UNSUBSCRIBED, ListRow
from app.services import audit, links, subscriptions, users
from app.services.audit import Caller
from app.services.links import Links
from app.services.users import UserRow

__all__ = [
    "ListRow",
    "Subscribed",
    "add_to",
    "archive",
    "confirm",
    "create",
    "of_link",
    "page",
    "remove_from",
    "retrieve",
    "set_subscribed",
    "subscribe",
    "subscriber",
    "unsubscribe",
    "unsubscribe_by_link",
    "update",
]

MAX_TITLE = 64  # characters


class Subscribed(NamedTuple):
    """Who is on a list. pending: the subscription waits to be confirmed. links: for the mails to that person."""

    uid: str
    user_id: str
    pending: bool
    links: Links


@transaction
def create(workspace: int, fields: Mapping[str, Any], caller: Caller) -> ListRow:
    """Make a list. fields: title (1 to MAX_TITLE characters) and any of description, redirect_url, double_optin.

    Raises errors.InvalidInput, errors.StorageUnavailable.
    """
    if not 1 <= len(fields["title"]) <= MAX_TITLE or "\x00" in fields["title"]:
        raise errors.InvalidInput({"title": [f"Must have 1 to {MAX_TITLE} characters."]})
    made = store.create(workspace, dict(fields), clock.now())
    audit.record(workspace, caller, Action.LIST_CREATED, made.id)
    return made


@statement
def retrieve(workspace: int, id: str) -> ListRow:
    """Return the list, an archived one too. Raises errors.ListNotFound."""
    found = store.find(workspace, id)
    if found is None:
        raise errors.ListNotFound()
    return found


@statement
def page(workspace: int, limit: int, after: str | None, before: str | None) -> Page:
    """Return the lists that are not archived, in the order of their ids, as ListRows; see `users.page`."""
    filters = [of_workspace(workspace), store.IS_OPEN]
    found, behind = store.page(limit + 1, filters, before or after, descending=before is not None)
    return cursors.page(found, behind, limit, backwards=before is not None)


@transaction
def update(workspace: int, id: str, fields: Mapping[str, Any], caller: Caller) -> ListRow:
    """Change the fields given, those of `create`, and return the list. Raises errors.ListNotFound."""
    if fields and store.update(workspace, id, dict(fields)):
        audit.record(workspace, caller, Action.LIST_CHANGED, id)
    return retrieve(workspace, id)


@transaction
def archive(workspace: int, id: str, caller: Caller) -> None:
    """Archive the list: those on it stay, nobody new is taken. Twice is as once. Raises errors.ListNotFound."""
    if retrieve(workspace, id).archived_at is None:
        store.update(workspace, id, {"archived_at": clock.now()})
        audit.record(workspace, caller, Action.LIST_ARCHIVED, id)


@transaction
def subscribe(workspace: int, id: str, person: Mapping[str, Any]) -> Subscribed:
    """Put somebody on the list: the oldest user of that email, else of that number, else somebody new.

    person: email or number, and any of first_name, last_name, created_at, meta. Somebody new has no uid of their own.
    On a list with double_optin the place is pending until it is confirmed; who is subscribed already stays so.
    Raises errors.ListNotFound, errors.InvalidInput, errors.Conflict when the list is archived.
    """
    found = retrieve(workspace, id)
    uid = users.find_by_contact(workspace, person)
    if uid is None:
        uid = users.make_without_uid(workspace, person).uid
    user_id = users.lock(workspace, uid)
    now = store.statuses(workspace, user_id).get(id)
    status = PENDING if found.double_optin and now != SUBSCRIBED else SUBSCRIBED
    _put(workspace, user_id, id, now, status)
    return Subscribed(uid, user_id, status == PENDING, links.make(workspace, user_id, id))


@transaction
def set_subscribed(workspace: int, id: str, uid: str, subscribed: bool) -> None:
    """Subscribe or unsubscribe a user, who is put on the list where there is no place yet.

    Raises errors.ListNotFound, errors.UserNotFound, errors.Conflict when the list is archived.
    """
    retrieve(workspace, id)
    user_id = users.lock(workspace, uid)
    now = store.statuses(workspace, user_id).get(id)
    _put(workspace, user_id, id, now, SUBSCRIBED if subscribed else UNSUBSCRIBED)


@transaction
def unsubscribe(workspace: int, id: str, uid: str) -> None:
    """Take a user off the list. Raises errors.ListNotFound, errors.UserNotFound."""
    retrieve(workspace, id)
    subscriptions.leave(workspace, users.lock(workspace, uid), [id])


@transaction
def add_to(workspace: int, uid: str, list_ids: list[str]) -> UserRow:
    """Subscribe a user to lists, all or none, and return the user. Raises errors.UserNotFound, InvalidInput."""
    subscriptions.subscribe(workspace, users.lock(workspace, uid), list_ids)
    return users.retrieve(workspace, uid)


@transaction
def remove_from(workspace: int, uid: str, list_ids: list[str]) -> UserRow:
    """Take a user off lists, on which there need not be a place, and return the user. Raises errors.UserNotFound."""
    subscriptions.leave(workspace, users.lock(workspace, uid), list_ids)
    return users.retrieve(workspace, uid)


@statement
def subscriber(workspace: int, id: str, uid: str) -> tuple[Subscribed, bool]:
    """Return a user who is on the list, and whether subscribed. Raises errors.ListNotFound, errors.UserNotFound."""
    retrieve(workspace, id)
    user = users.retrieve(workspace, uid)
    status = next((one["status"] for one in user.lists if one["id"] == id), None)
    if status is None:
        raise errors.UserNotFound("This user is not on the list.")
    return Subscribed(uid, user.id, status == PENDING, links.make(workspace, user.id, id)), status == SUBSCRIBED


@transaction
def confirm(link: str) -> ListRow:
    """Confirm the pending subscription of the link and return its list; any other stays as it is.

    Raises errors.LinkInvalid.
    """
    return _follow(link, links.CONFIRM, {PENDING: SUBSCRIBED})


@statement
def of_link(link: str) -> ListRow:
    """Return the list that the link unsubscribes from. Raises errors.LinkInvalid."""
    workspace, _, list_id = links.read(link, links.UNSUBSCRIBE)
    found = store.find(workspace, list_id)
    if found is None:
        raise errors.LinkInvalid()
    return found


@transaction
def unsubscribe_by_link(link: str) -> ListRow:
    """Unsubscribe who holds the link, and return the list (RFC 8058). Raises errors.LinkInvalid."""
    return _follow(link, links.UNSUBSCRIBE, {PENDING: UNSUBSCRIBED, SUBSCRIBED: UNSUBSCRIBED})


def _follow(link: str, purpose: str, becomes: Mapping[str, str]) -> ListRow:
    workspace, user_id, list_id = links.read(link, purpose)
    users_store.lock_id(workspace, user_id)
    now = store.statuses(workspace, user_id).get(list_id)
    found = store.find(workspace, list_id)
    if now is None or found is None:
        raise errors.LinkInvalid()
    if now in becomes:
        subscriptions.put(workspace, user_id, list_id, now, becomes[now])
    return found


def _put(workspace: int, user_id: str, id: str, now: str | None, status: str) -> None:
    if not subscriptions.put(workspace, user_id, id, now, status):
        raise errors.Conflict("The list is archived: it takes no new subscribers.")
