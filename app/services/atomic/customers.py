"""Customers: users as the Atomic API shows them (atomic.md section 3). Same rows, same writes."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from app import clock, errors
from app.domain import dates, profiles
from app.domain.cursors import Page
from app.domain.writes import Item
from app.models import preferences as preferences_store
from app.models import users as users_store
from app.models.database import statement, transaction
from app.models.preferences import PreferencesRow
from app.models.users import UserRow
from app.services import users
from app.services.atomic import fields
from app.services.users import batches

__all__ = ["DEFAULT", "Customer", "PreferencesRow", "Sent", "Stored", "page", "retrieve", "save"]

DEFAULT = PreferencesRow()  # of somebody who never said anything
Profile = Mapping[str, str | None]


class Customer(NamedTuple):
    """A user with the profile and the preferences that the Atomic API shows."""

    user: UserRow
    profile: dict[str, str]
    preferences: PreferencesRow


class Sent(NamedTuple):
    """What becomes of a customer: profile fields, None clears; preferences, those members that were sent.

    place: where it stands in the body, as a JSON pointer; errors begin with it.
    """

    uid: str
    profile: Profile
    preferences: Mapping[str, Any]
    place: str = ""


class Stored(NamedTuple):
    """A customer after a write, the profile without analytics; preferences only where some were sent."""

    uid: str
    profile: dict[str, str]
    preferences: PreferencesRow | None


@statement
def retrieve(workspace: int, uid: str) -> Customer:
    """Return the customer of that uid. Raises errors.UserNotFound."""
    return _customers(workspace, [users.retrieve(workspace, uid)])[0]


@statement
def page(workspace: int, limit: int, cursor: str | None = None, segment: str | None = None) -> Page:
    """Return customers in the order of their internal ids: those after the cursor, at most `limit`.

    segment: only those who are in it now; nobody is where there is no such segment.
    """
    try:
        found = users.page(workspace, limit, after=cursor, segment=segment)
    except errors.SegmentNotFound:
        return Page([])
    return found._replace(rows=_customers(workspace, found.rows))


@transaction
def save(workspace: int, sent: Sequence[Sent]) -> list[Stored]:
    """Make customers or change the fields that were sent, in order, all or none; return them in the same order.

    sent: checked by app/schemas/customers.py but for what only the workspace knows, its custom fields.
    Raises errors.InvalidInput, whose details are JSON pointers, for a field that is not defined, a date that is none
    and for too many attributes; errors.StorageUnavailable.
    """
    custom = {field.name: field.type for field in fields.everything(workspace)}
    changed = [profiles.changes(profile) for profile in _with_dates(sent, custom)]
    items = [Item(n, "update", one.uid, change) for n, (one, change) in enumerate(zip(sent, changed, strict=True))]
    for position, failure in sorted(batches.refused_of(batches.run(workspace, items)).items()):
        raise _at(sent[position].place, failure)
    rows = users_store.find_profiles(workspace, list({one.uid for one in sent}))
    preferences = _prefer(workspace, sent, {uid: row.id for uid, row in rows.items()})
    shown = {uid: profiles.shown(row, custom, with_analytics=False) for uid, row in rows.items()}
    return [Stored(one.uid, shown[one.uid], preferences.get(one.uid)) for one in sent]


def _customers(workspace: int, found: Sequence[UserRow]) -> list[Customer]:
    custom = [field.name for field in fields.everything(workspace)]
    preferences = preferences_store.of(workspace, [user.id for user in found])
    return [
        Customer(user, profiles.shown(user, custom, with_analytics=True), preferences.get(user.id, DEFAULT))
        for user in found
    ]


def _with_dates(sent: Sequence[Sent], custom: Mapping[str, str]) -> list[Profile]:
    """The profiles with their dates as UTC."""
    wrong: dict[str, list[str]] = {}
    found: list[Profile] = []
    for one in sent:
        profile = dict(one.profile)
        for name in profile.keys() - profiles.FIXED:
            try:
                profile[name] = _custom(custom.get(name), profile[name])
            except ValueError as error:
                wrong[one.place + errors.pointer("profile", name)] = [str(error)]
        found.append(profile)
    if wrong:
        raise errors.InvalidInput(wrong)
    return found


def _custom(type: str | None, value: str | None) -> str | None:
    if type is None:
        raise ValueError("Must be a field that was defined.")
    return dates.render_zulu(dates.parse(value)) if type == profiles.DATE and value is not None else value


def _at(place: str, failure: errors.Failure) -> errors.Failure:
    if not isinstance(failure, errors.InvalidInput):
        return failure
    return errors.InvalidInput({f"{place}/profile": next(iter(failure.details.values()))})


def _prefer(workspace: int, sent: Sequence[Sent], ids: Mapping[str, str]) -> dict[str, PreferencesRow]:
    """Merge the preferences that were sent into those of the locked users; return {uid: preferences} of these."""
    choosing = [one for one in sent if one.preferences]
    now, found = clock.now(), preferences_store.of(workspace, [ids[one.uid] for one in choosing])
    for one in choosing:
        found[ids[one.uid]] = _merged(found.get(ids[one.uid], DEFAULT), one.preferences, now)
    preferences_store.put(workspace, found)
    return {one.uid: found[ids[one.uid]] for one in choosing}


def _merged(before: PreferencesRow, sent: Mapping[str, Any], now: int) -> PreferencesRow:
    days = {**before.notifications, **sent.get("notifications", {})}
    return before._replace(
        **{
            **sent,
            "notifications": {day: spans for day, spans in days.items() if spans is not None},
            "updated_at": max(now, (before.updated_at or 0) + 1),
        }
    )
