"""SDK requests on the wire: headers, token claims, and changes (atomic.md section 4)."""

import contextlib
import math
from collections.abc import Mapping
from typing import Any

import orjson
from marshmallow import EXCLUDE, Schema, fields, post_load

from app import errors
from app.domain import dates, profiles
from app.schemas.customers import profile_field
from app.schemas.customers_sent import SentCustomer, load_one
from app.schemas.preferences import PreferencesSchema, timezones
from app.strict_json import MAX_INTEGER, is_storable

_PLATFORMS = {"web": "browser", "browser": "browser", "android": "android", "ios": "ios"}
_MAX_TOLD = 255  # characters of a version or a device; what is longer is none
_WEB = "Mozilla Firefox 145"


class SdkHeadersSchema(Schema):
    """The headers of an SDK. What does not fit is passed over: it is analytics, and fails no request."""

    class Meta:
        unknown = EXCLUDE

    api_key = fields.String(
        data_key="x-atomic-sdk-api-key",
        metadata={"description": "The id of the SDK key, unless the claim `apiKey` of the token names it."},
    )
    platform = fields.String(
        data_key="x-atomic-sdk-platform",
        metadata={"description": "`web`, `android` or `ios`, in any capitals.", "example": "web"},
    )
    version = fields.String(
        data_key="x-atomic-sdk-version", metadata={"description": "Of the SDK.", "example": "25.3.1"}
    )
    name = fields.String(
        data_key="x-atomic-sdk-device", metadata={"description": "The device, or the browser.", "example": _WEB}
    )
    timezone = fields.String(
        data_key="x-atomic-sdk-timezone", metadata={"description": "IANA name.", "example": "Africa/Lagos"}
    )

    @post_load
    def fit(self, told: dict[str, str], **kwargs: Any) -> dict[str, str | None]:
        """Keep what the analytics fields can have."""
        timezone = told.get("timezone", "")
        return {
            "platform": _PLATFORMS.get(told.get("platform", "").strip().lower()),
            "version": _told(told.get("version", "")),
            "name": _told(told.get("name", "")),
            "timezone": timezone if timezone in timezones() else None,
        }


def _told(text: str) -> str | None:
    """The text of a header, which came as Latin-1 and may have been UTF-8."""
    with contextlib.suppress(ValueError):
        text = text.encode("latin-1").decode("utf-8")
    return text if 0 < len(text) <= _MAX_TOLD and text.isprintable() else None


class OwnChangesSchema(Schema):
    """What a user changes of themselves: at least one field of `profile` or `preferences`."""

    class Meta:
        unknown = EXCLUDE

    profile = fields.Raw(metadata={"description": "Field to text; null clears.", "example": {"city": "Lagos"}})
    preferences = fields.Raw(metadata={"description": "As in `userPreferences`.", "example": {"timezone": "UTC"}})


class OwnStateSchema(Schema):
    """A user's profile, without analytics, and preferences."""

    profile = profile_field()
    preferences = fields.Nested(PreferencesSchema, required=True)


class OwnReplySchema(Schema):
    """The state after the change, in its envelope."""

    data = fields.Nested(OwnStateSchema, required=True)


def load_own(uid: str, body: Mapping[str, Any]) -> SentCustomer:
    """Return what the user of that uid changes. Raises errors.InvalidInput, whose details are JSON pointers."""
    sent, wrong = load_one(uid, body, "")
    if not wrong and not sent.profile and not sent.preferences:
        wrong = {"/": ["Must have at least one field in profile or preferences."]}
    if wrong:
        raise errors.InvalidInput(wrong)
    return sent


def fit_claims(values: Mapping[str, Any], types: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return what of the values of claims the profile can have, {field: text}, and the fields that cannot have theirs.

    values: field -> value, as the token has it. types: custom field -> its type.
    """
    texts = {name: _text(value, types.get(name) == profiles.DATE) for name, value in values.items()}
    found = {name: text for name, text in texts.items() if text is not None and _fits(name, text)}
    return found, [name for name in values if name not in found]


def _text(value: Any, is_date: bool) -> str | None:
    if is_date:
        try:
            return dates.render_zulu(dates.parse(value))
        except ValueError:
            return None
    if isinstance(value, float) and value.is_integer() and abs(value) <= MAX_INTEGER:
        value = int(value)
    if isinstance(value, bool) or (isinstance(value, float) and math.isfinite(value)):
        return orjson.dumps(value).decode()
    return str(value) if isinstance(value, str | int) else None


def _fits(name: str, text: str) -> bool:
    return is_storable(text) and not load_one("", {"profile": {name: text}}, "")[1]
