"""Replies of the Atomic API, made by hand as in app/api/replies.py; app/schemas/customers.py documents them."""

from typing import Any

from app.domain import dates
from app.services.atomic.customers import Customer, PreferencesRow, Stored
from app.services.atomic.visits import Own


def customer(found: Customer) -> dict[str, Any]:
    """Return the User of atomic.md section 3."""
    updated = found.preferences.updated_at
    return {
        "id": found.user.uid,
        "preferences": preferences(found.preferences),
        "preferencesUpdated": None if updated is None else dates.render_zulu(updated),
        "created": dates.render_zulu(found.user.created_at),
        "profile": found.profile,
        "segments": {one["id"]: {"active": not one["suppressed"]} for one in found.user.segments},
    }


def stored(found: Stored) -> dict[str, Any]:
    """Return a customer as a write answers it."""
    return {"id": found.uid, "profile": found.profile}


def preferences(found: PreferencesRow) -> dict[str, Any]:
    """Return the Preferences of atomic.md section 3."""
    return {
        "timezone": found.timezone,
        "notificationsEnabled": found.notifications_enabled,
        "notifications": found.notifications,
    }


def own(found: Own) -> dict[str, Any]:
    """Return what a user is shown of themselves (atomic.md section 4)."""
    return {"profile": found.profile, "preferences": preferences(found.preferences)}
