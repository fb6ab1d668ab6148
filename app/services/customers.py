"""Customers: users as the Atomic API sees them (atomic.md section 3). The same rows, the same writes."""

from collections.abc import Sequence
from typing import NamedTuple

from app import profiles
from app.cursors import Page
from app.models import preferences as preferences_store
from app.models.database import statement
from app.models.preferences import PreferencesRow
from app.models.users import UserRow
from app.services import fields, users

__all__ = ["Customer", "PreferencesRow", "page", "retrieve"]


class Customer(NamedTuple):
    """A user with the profile and the preferences that the Atomic API shows."""

    user: UserRow
    profile: dict[str, str]
    preferences: PreferencesRow


@statement
def retrieve(workspace: int, uid: str) -> Customer:
    """Return the customer of that uid. Raises errors.UserNotFound."""
    return _customers(workspace, [users.retrieve(workspace, uid)])[0]


@statement
def page(workspace: int, limit: int, cursor: str | None = None, segment: str | None = None) -> Page:
    """Return customers in the order of their internal ids: those after the cursor, at most `limit`.

    segment: only those who are in it now; nobody is where there is no such segment.
    """
    if segment is not None:
        return Page([])
    found = users.page(workspace, limit, after=cursor)
    return found._replace(rows=_customers(workspace, found.rows))


def _customers(workspace: int, found: Sequence[UserRow]) -> list[Customer]:
    custom = [field.name for field in fields.everything(workspace)]
    preferences = preferences_store.of(workspace, [user.id for user in found])
    return [
        Customer(user, profiles.shown(user, custom, with_analytics=True), preferences.get(user.id, PreferencesRow()))
        for user in found
    ]
