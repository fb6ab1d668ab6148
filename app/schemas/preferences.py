"""Preferences on the wire (atomic.md section 3)."""

import functools
import re
import zoneinfo
from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from app.schemas.fields import Flag, Rule, Text

MAX_CUSTOMERS = 1000
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun", "default")
MAX_SPANS = 48  # of a day: one every half hour
_TIME_PATTERN = "^([01][0-9]|2[0-3]):[0-5][0-9]$"
_TIME = re.compile(_TIME_PATTERN[1:-1])
_SPANS = {
    "type": ["array", "null"],
    "maxItems": MAX_SPANS,
    "items": {
        "type": "object",
        "properties": {name: {"type": "string", "pattern": _TIME_PATTERN} for name in ("from", "to")},
        "required": ["from", "to"],
    },
}
_HOURS = {"mon": [{"from": "09:00", "to": "17:00"}], "sun": []}


@functools.cache
def timezones() -> frozenset[str]:
    """Return the names of the IANA time zones that this machine knows."""
    return frozenset(zoneinfo.available_timezones())


class TimeZoneName(Text):
    """The name of an IANA time zone."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        name = super()._deserialize(value, attr, data, **kwargs)
        if name not in timezones():
            raise ValidationError("Must be the name of an IANA time zone, such as Africa/Lagos.")
        return name


class Days(Rule):
    """Spans of each day; null for a day that goes."""

    schema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": dict.fromkeys(DAYS, _SPANS),
        "additionalProperties": False,
    }

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> dict[str, list[dict[str, str]] | None]:
        if not isinstance(value, dict):
            raise ValidationError("Must be an object.")
        wrong = {day: [message] for day, spans in value.items() if (message := _fault(day, spans))}
        if wrong:
            raise ValidationError(wrong)
        return {
            day: spans and [{"from": span["from"], "to": span["to"]} for span in spans] for day, spans in value.items()
        }


def _fault(day: str, spans: Any) -> str | None:
    if day not in DAYS:
        return f"Must be one of {', '.join(DAYS)}."
    if spans is not None and not (isinstance(spans, list) and len(spans) <= MAX_SPANS and all(map(_is_span, spans))):
        return f'Must be a list of at most {MAX_SPANS} of {{"from": "HH:MM", "to": "HH:MM"}} with from before to.'
    return None


def _is_span(span: Any) -> bool:
    if not isinstance(span, dict):
        return False
    begin, end = span.get("from"), span.get("to")
    return isinstance(begin, str) and isinstance(end, str) and _is_time(begin) and _is_time(end) and begin < end


def _is_time(text: str) -> bool:
    return _TIME.fullmatch(text) is not None


class PreferencesSchema(Schema):
    """When and whether a customer wants to be notified. Members that are left out stay as they are."""

    class Meta:
        unknown = EXCLUDE

    timezone = TimeZoneName(
        allow_none=True, metadata={"description": "IANA name; null for none.", "example": "Africa/Lagos"}
    )
    notifications_enabled = Flag(
        data_key="notificationsEnabled", metadata={"description": "True if never said.", "example": True}
    )
    notifications = Days(
        metadata={
            "description": "Spans of each day, each replaced whole; an empty list is none that day, null forgets it.",
            "example": _HOURS,
        }
    )


class ByCustomer(fields.Dict):
    """Customer id to preferences; what stands under an id is checked by app/schemas/customers_sent.py."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, dict):
            raise ValidationError("Must be an object.")
        return value


class PreferencesOfSchema(Schema):
    """The body of `PUT /v1/{environment}/userPreferences`, and its reply."""

    class Meta:
        unknown = EXCLUDE

    data = ByCustomer(
        keys=fields.String(),
        values=fields.Nested(PreferencesSchema),
        required=True,
        validate=validate.Length(max=MAX_CUSTOMERS),
        metadata={"description": "Customer id to preferences.", "example": {"u144": {"notifications": _HOURS}}},
    )
