"""Customer profiles: the fields and where a user keeps them (atomic.md section 3)."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

STANDARD = ("external_id", "name", "email", "phone", "city", "country", "region")
SYSTEM = ("timezone", "user_type")
USER_TYPES = ("test", "live")
_SEEN_BY = ("browser", "android", "ios")
_CARD_EVENTS = ("published", "displayed", "completed", "dismissed", "expired")
ANALYTICS = (
    "first_seen_at",
    "last_seen_at",
    *(f"last_{one}_seen_at" for one in _SEEN_BY),
    *(f"last_{one}_sdk_version" for one in _SEEN_BY),
    "last_browser",
    "last_android_device",
    "last_ios_device",
    *(f"{end}_{event}_card_at" for end in ("first", "last") for event in _CARD_EVENTS),
)
FIXED = frozenset((*STANDARD, *SYSTEM))
RESERVED = frozenset((*STANDARD, *SYSTEM, *ANALYTICS, "id", "tags"))
TEXT, DATE = "text", "date"  # the types of a custom field
NAME_PATTERN = "^[A-Za-z][A-Za-z0-9_]{0,63}$"
MAX_LABEL = 255  # characters

_NAME = re.compile(NAME_PATTERN[1:-1])
_COLUMNS = {"email": "email", "phone": "number"}  # profile field -> the user's own; every other is an entry of meta


def is_name(text: str) -> bool:
    """Return True if a custom field can have this name; a reserved one it cannot have either."""
    return _NAME.fullmatch(text) is not None


def changes(profile: Mapping[str, str | None]) -> dict[str, Any]:
    """Return what a profile changes in a user: email, number and meta, in which None stands for an entry that goes."""
    own = {_COLUMNS[name]: value for name, value in profile.items() if name in _COLUMNS}
    return {**own, "meta": {name: value for name, value in profile.items() if name not in _COLUMNS}}


def shown(user: Any, custom: Iterable[str], with_analytics: bool) -> dict[str, str]:
    """Return the profile of a user: every field that has a value, as text.

    user: has email, number, first_name, last_name and meta. custom: names of the fields that were defined.
    """
    meta = user.meta
    own = {"email": user.email, "phone": user.number, "name": meta.get("name") or _joined(user)}
    names = (*STANDARD, *SYSTEM, *custom, *(ANALYTICS if with_analytics else ()))
    values = {name: own[name] if name in own else meta.get(name) for name in names}
    return {name: text(value) for name, value in values.items() if value is not None}


def text(value: str | float | bool) -> str:
    """Return an attribute as a profile shows it: what Engage's routes wrote may be a number or a boolean."""
    return value if isinstance(value, str) else json.dumps(value)


def _joined(user: Any) -> str | None:
    return " ".join(filter(None, (user.first_name, user.last_name))) or None
