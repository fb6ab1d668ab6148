"""Visits: an app acts for its user, with a token (atomic.md section 4).

Each visit makes or updates the user, copies the claims of the token, and notes when and with what the user was here.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from app import clock, logs
from app.domain import dates, profiles
from app.models import users as users_store
from app.models.database import transaction
from app.models.users import MAX_META_KEYS
from app.services import users
from app.services.atomic import customers
from app.services.atomic.customers import PreferencesRow, Sent

_PAUSE = 30_000  # milliseconds; a field of analytics is written at most so often


class Own(NamedTuple):
    """What a user is shown of themselves; the profile without analytics."""

    profile: dict[str, str]
    preferences: PreferencesRow


class Device(NamedTuple):
    """What the user is here with, as far as the request tells. platform: browser, android or ios."""

    platform: str | None = None
    version: str | None = None
    name: str | None = None
    timezone: str | None = None


@transaction
def record(workspace: int, claims: Mapping[str, str], sent: Sent, device: Device) -> Own:
    """Make or update the user of a valid token: its claims, then what the user sent, then what the visit tells.

    claims: profile field -> what the token says. Claims and analytics for which the user has no room are passed over.
    Raises errors.InvalidInput as `customers.save` does for what was sent, and then nothing is stored.
    """
    users_store.lock(workspace, sent.uid)
    known = users_store.find(workspace, sent.uid)
    meta = known.meta if known else {}
    room = MAX_META_KEYS - len({*meta, *profiles.changes(sent.profile)["meta"]})
    copied = _with_room(claims, meta, room)
    room -= len(profiles.changes(copied)["meta"].keys() - meta.keys())
    noted = _with_room(analytics(meta, device, clock.now()), meta, room)
    if missing := sorted(claims.keys() - copied.keys()):
        logs.warning("claims_skipped", workspace=workspace, fields=missing, reason="too many attributes")
    stored = customers.save(workspace, [Sent(sent.uid, copied, {}, sent.place), sent])[-1]
    if noted:
        users.update(workspace, sent.uid, {"meta": noted}, full=True)
    return Own(stored.profile, customers.retrieve(workspace, sent.uid).preferences)


def _with_room(profile: Mapping[str, str], meta: Mapping[str, Any], room: int) -> dict[str, str]:
    """The fields that are columns or attributes already, and so many of the others as there is room for."""
    new = [name for name in profiles.changes(profile)["meta"] if name not in meta]
    left_out = new[max(0, room) :]
    return {name: value for name, value in profile.items() if name not in left_out}


def analytics(meta: Mapping[str, Any], device: Device, now: int) -> dict[str, str]:
    """Return the fields to write for a visit: those that are not there, and those that were not just written.

    meta: the user's attributes. now: epoch milliseconds.
    """
    seen = dates.render_zulu(now)
    told: dict[str, str | None] = {"last_seen_at": seen, "timezone": device.timezone}
    found = {name: value for name, value in told.items() if _is_due(meta, name, "last_seen_at", now)}
    if "first_seen_at" not in meta:
        found["first_seen_at"] = seen
    if device.platform:
        clock_of = f"last_{device.platform}_seen_at"
        name_of = "last_browser" if device.platform == "browser" else f"last_{device.platform}_device"
        told = {clock_of: seen, f"last_{device.platform}_sdk_version": device.version, name_of: device.name}
        found |= {name: value for name, value in told.items() if _is_due(meta, name, clock_of, now)}
    return {name: value for name, value in found.items() if value is not None and value != meta.get(name)}


def _is_due(meta: Mapping[str, Any], name: str, clock_of: str, now: int) -> bool:
    """Whether the field may be written: it is not there, or what tells when it was is old enough, or is no time."""
    try:
        return name not in meta or abs(now - dates.parse(meta.get(clock_of))) >= _PAUSE
    except ValueError:
        return True
