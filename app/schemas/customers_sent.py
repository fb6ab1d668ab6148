"""Customers as sent (atomic.md section 3), checked by hand: a request has up to a thousand."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from app import errors
from app.domain import profiles, uids
from app.schemas import messages
from app.schemas.fields import MAX_META_VALUE, Email, Uid, is_number
from app.schemas.ignored_keys import named_elsewhere, nearest
from app.schemas.preferences import PreferencesSchema, timezones

MAX_CUSTOMERS = 1000
_BYTES = 4  # of a character in UTF-8, at most
_EXAMPLE = [{"id": "u144", "profile": {"email": "ada@example.com", "city": "Lagos"}}]


class SentSchema(Schema):
    """The body of `POST /v1/{environment}/users`."""

    class Meta:
        unknown = EXCLUDE

    users = fields.List(
        fields.Raw(
            allow_none=True,
            metadata={
                "description": "`id`, and `profile` (field to text; null clears) and `preferences` if they change.",
                "example": _EXAMPLE[0],
            },
        ),
        required=True,
        validate=validate.Length(max=MAX_CUSTOMERS),
        metadata={"description": "Customers, in order; all or none are stored.", "example": _EXAMPLE},
    )


class SentCustomer(NamedTuple):
    """A customer as loaded: profile fields, None clears; the members of the preferences that were sent."""

    uid: str
    profile: dict[str, str | None]
    preferences: dict[str, Any]
    place: str


_KEYS = frozenset(("id", "profile", "preferences"))
_ELSEWHERE = named_elsewhere(profile="attributes traits properties fields", preferences="prefs")
_UID = Uid(required=True)
_EMAIL = Email()
_PREFERENCES = PreferencesSchema()
_Faults = dict[str, list[str]]
_Check = Callable[[str], str | None]


def load(items: list[Any], place: str) -> list[SentCustomer]:
    """Return the customers. place: of the list, as a JSON pointer.

    Raises errors.InvalidInput, whose details are JSON pointers, at most errors.MAX_DETAILS of them.
    """
    found: list[SentCustomer] = []
    wrong: _Faults = {}
    for position, item in enumerate(items):
        here = f"{place}/{position}"
        if not isinstance(item, dict):
            wrong[here] = ["Must be an object."]
        else:
            uid, faults = _uid(item.get("id"), f"{here}/id")
            loaded, more = load_one(uid, item, here)
            wrong |= faults | more | ({} if _KEYS.issuperset(item) else _misspelt(item, here))
            found.append(loaded)
        if len(wrong) >= errors.MAX_DETAILS:
            break
    if wrong:
        raise errors.InvalidInput(wrong)
    return found


def load_preferences(data: Mapping[str, Any]) -> list[SentCustomer]:
    """Return the customers of {id: preferences}. Raises errors.InvalidInput as `load` does."""
    found: list[SentCustomer] = []
    wrong: _Faults = {}
    for uid, preferences in data.items():
        here = errors.pointer("data", uid)
        loaded, faults = _load_preferences(preferences, here)
        wrong |= faults if uids.is_valid(uid) else {here: [uids.RULE]}
        found.append(SentCustomer(uid, {}, loaded, here))
        if len(wrong) >= errors.MAX_DETAILS:
            break
    if wrong:
        raise errors.InvalidInput(wrong)
    return found


def load_one(uid: str, item: Mapping[str, Any], place: str) -> tuple[SentCustomer, _Faults]:
    """Return the customer of that uid with the `profile` and the `preferences` of an item, and what is wrong."""
    profile = item.get("profile", {})
    loaded, faults = _load_preferences(item.get("preferences", {}), f"{place}/preferences")
    return SentCustomer(uid, profile, loaded, place), faults | _profile_faults(profile, f"{place}/profile")


def _misspelt(item: Mapping[str, Any], place: str) -> _Faults:
    """Name the keys of an item that are nearly one of ours: to ignore one would store a customer without it."""
    near = {key: nearest(key, _KEYS - {"id"}, _ELSEWHERE) for key in item if key not in _KEYS}
    return {f"{place}{errors.pointer(key)}": [f"Did you mean {name}?"] for key, name in near.items() if name}


def _load_preferences(preferences: Any, place: str) -> tuple[dict[str, Any], _Faults]:
    try:
        return (_PREFERENCES.load(preferences) if preferences != {} else {}), {}
    except ValidationError as error:
        return {}, messages.pointers(error.normalized_messages(), place)  # type: ignore[no-untyped-call]


def _uid(value: Any, place: str) -> tuple[str, _Faults]:
    if value.__class__ is str and uids.is_plain(value):
        return value, {}
    try:
        return _UID.deserialize(value), {}
    except ValidationError:
        return "", {place: [uids.RULE]}


def _profile_faults(profile: Any, place: str) -> _Faults:
    if not isinstance(profile, dict):
        return {place: ["Must be an object."]}
    return {
        place + errors.pointer(name): [fault]
        for name, value in profile.items()
        if value.__class__ is not str or name in _RULES or len(value) * _BYTES > MAX_META_VALUE
        if (fault := _fault(name, value))
    }


def _fault(name: str, value: Any) -> str | None:
    """What is wrong with a field; whether a custom one was defined, only its environment knows."""
    if value is None and name not in profiles.ANALYTICS:
        return None
    if not isinstance(value, str) and name not in profiles.ANALYTICS:
        return "Must be a string or null."
    if name in _RULES:
        return _RULES[name](value)
    return f"Must be at most {MAX_META_VALUE} bytes long." if len(value.encode()) > MAX_META_VALUE else None


def _email_fault(value: str) -> str | None:
    try:
        _EMAIL.deserialize(value)
    except ValidationError:
        return "Must be a valid email address."
    return None


def _rule(is_right: Callable[[str], bool], said: str) -> _Check:
    return lambda value: None if is_right(value) else said


_RULES: dict[str, _Check] = {
    **dict.fromkeys(profiles.ANALYTICS, lambda value: "Must not be sent: this field is kept by Rollcall."),
    "email": _email_fault,
    "phone": _rule(is_number, "Must be an optional + and 5 to 20 digits; spaces, dots and dashes may stand between."),
    "timezone": _rule(lambda name: name in timezones(), "Must be the name of an IANA time zone, such as Africa/Lagos."),
    "user_type": _rule(lambda value: value in profiles.USER_TYPES, "Must be test or live."),
}
