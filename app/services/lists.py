"""Lists: create, change, archive, subscribe (engage.md section 5)."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from app import clock, errors
from app.domain import cursors
from app.domain.actions import Action
from app.domain.consent import PENDING, SUBSCRIBED, Act, decide
from app.domain.cursors import Page
from app.models import erasures as erasures_store
from app.models import lists as store
from app.models import users as users_store
from app.models.database import statement, transaction
from app.models.keyset import of_workspace
from app.models.lists import ListRow
from app.services import audit, links, subscriptions, users
from app.services.audit import Caller
from app.services.links import Links
from app.services.users import UserRow

__all__ = [
    "ListRow",
    "Subscribed",
    "Subscriber",
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
    "subscribers",
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


class Subscriber(NamedTuple):
    """A user on a list, and the links for the mails to them. status: one of app/domain/consent.py."""

    uid: str
    status: str
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
    """Archive the list: subscribers stay, new ones are refused. Twice is as once. Raises errors.ListNotFound."""
    if retrieve(workspace, id).archived_at is None:
        store.update(workspace, id, {"archived_at": clock.now()})
        audit.record(workspace, caller, Action.LIST_ARCHIVED, id)


@transaction
def subscribe(workspace: int, id: str, person: Mapping[str, Any]) -> Subscribed:
    """Subscribe a person: the oldest user with that email, else with that number, else a new user.

    person: email or number, and any of first_name, last_name, created_at, meta. Somebody new has no uid of their own.
    On a list with double_optin the place is pending until it is confirmed; who is subscribed already stays so.
    Raises errors.ListNotFound, errors.InvalidInput, errors.Conflict when the list is archived.
    """
    found = retrieve(workspace, id)
    uid = users.find_to_change(workspace, person)
    if uid is None:
        uid = users.make_without_uid(workspace, person).uid
    else:
        users.fill(workspace, uid, person)
    user_id = users.lock(workspace, uid)
    status = _act(workspace, user_id, found, Act.SIGN_UP)
    return Subscribed(uid, user_id, status == PENDING, _links(workspace, user_id, id))


@transaction
def set_subscribed(workspace: int, id: str, uid: str, subscribed: bool) -> None:
    """Subscribe or unsubscribe a user, who is put on the list where there is no place yet.

    Raises errors.ListNotFound, errors.UserNotFound, errors.Conflict when the list is archived.
    """
    found = retrieve(workspace, id)
    _act(workspace, users.lock(workspace, uid), found, Act.SUBSCRIBE if subscribed else Act.UNSUBSCRIBE)


@transaction
def unsubscribe(workspace: int, id: str, uid: str) -> None:
    """Take a user off the list; an unsubscribed place stays. Raises errors.ListNotFound, errors.UserNotFound."""
    retrieve(workspace, id)
    subscriptions.leave(workspace, users.lock(workspace, uid), [id])


@transaction
def add_to(workspace: int, uid: str, list_ids: list[str]) -> UserRow:
    """Subscribe a user to lists, all or none, and return the user. Raises errors.UserNotFound, InvalidInput."""
    subscriptions.subscribe(workspace, users.lock(workspace, uid), list_ids)
    return users.retrieve(workspace, uid)


@transaction
def remove_from(workspace: int, uid: str, list_ids: list[str]) -> UserRow:
    """As `unsubscribe`, for lists on which there need not be a place; return the user. Raises errors.UserNotFound."""
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
    return Subscribed(uid, user.id, status == PENDING, _links(workspace, user.id, id)), status == SUBSCRIBED


@statement
def subscribers(workspace: int, id: str, limit: int, after: str | None, before: str | None, status: str | None) -> Page:
    """Return who has a place on the list, in the order of their internal ids, as Subscribers; see `users.page`.

    status: only those, one of app/domain/consent.py. Raises errors.ListNotFound.
    """
    retrieve(workspace, id)
    filters = store.on(workspace, id, status)
    found, behind = store.subscribers(limit + 1, filters, before or after, descending=before is not None)
    page = cursors.page(found, behind, limit, backwards=before is not None)
    made = links.make(workspace, id, [(one.id, one.position) for one in page.rows])
    rows = zip(page.rows, made, strict=True)
    return page._replace(rows=[Subscriber(place.uid, place.status, links) for place, links in rows])


@transaction
def confirm(link: str) -> ListRow:
    """Confirm the pending place that the link was made for, and return its list. Raises errors.LinkInvalid."""
    return _follow(link, links.CONFIRM, Act.CONFIRM)


@transaction
def unsubscribe_by_link(link: str) -> ListRow:
    """Unsubscribe who holds the link, also from a list without a place, and return it. Raises errors.LinkInvalid."""
    return _follow(link, links.UNSUBSCRIBE, Act.UNSUBSCRIBE)


@statement
def of_link(link: str, purpose: str) -> ListRow:
    """Return the list of a link that is good. Raises errors.LinkInvalid."""
    workspace, user_id, list_id, position = links.read(link, purpose)
    user_id = _living(workspace, user_id, lambda id: bool(users_store.find_all(workspace, [id])))
    return _list_of(workspace, user_id, list_id, purpose, position)


def _follow(link: str, purpose: str, act: Act) -> ListRow:
    workspace, user_id, list_id, position = links.read(link, purpose)
    user_id = _living(workspace, user_id, lambda id: users_store.lock_shown(workspace, id))
    found = _list_of(workspace, user_id, list_id, purpose, position)
    _act(workspace, user_id, found, act)
    return found


def _living(workspace: int, user_id: str, is_there: Callable[[str], bool]) -> str:
    """Return the id of the user of a link, or of the user it was merged into: mails are read after a merge, too.

    A merge may end while `is_there` waits for it, so the survivor is looked for again. Raises errors.LinkInvalid.
    """
    while not is_there(user_id):
        survivor = erasures_store.survivor(workspace, user_id)
        if survivor is None:
            raise errors.LinkInvalid()
        user_id = survivor
    return user_id


def _list_of(workspace: int, user_id: str, list_id: str, purpose: str, position: str) -> ListRow:
    """Return the list of a link; one to confirm is good for the pending place it was made for, on an open list."""
    found = store.find(workspace, list_id)
    is_good = found is not None
    if found is not None and purpose == links.CONFIRM:
        is_good = found.archived_at is None and store.places(workspace, user_id).get(list_id) == (PENDING, position)
    if found is None or not is_good:
        raise errors.LinkInvalid()
    return found


def _act(workspace: int, user_id: str, found: ListRow, act: Act) -> str:
    """Do what the act does with the place of a locked user, and return its status. Raises errors.Conflict."""
    now = store.statuses(workspace, user_id).get(found.id)
    status = decide(now, act, double_optin=found.double_optin)
    cannot_be_confirmed = status == PENDING and found.archived_at is not None
    if cannot_be_confirmed or not subscriptions.change(workspace, user_id, found.id, now, status):
        raise errors.Conflict("The list is archived: it takes no new subscribers.")
    return str(status)


def _links(workspace: int, user_id: str, id: str) -> Links:
    _, position = store.places(workspace, user_id)[id]
    return links.make(workspace, id, [(user_id, position)])[0]
