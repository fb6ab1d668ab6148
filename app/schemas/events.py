"""Events on the wire (engage.md section 4.3)."""

from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, validate

from app import clock
from app.domain import cursors, ids
from app.schemas.fields import (
    MAX_META_KEY,
    MAX_PROPERTIES,
    ByValue,
    Column,
    Date,
    EventCursor,
    Flat,
    Limit,
    QueryDate,
    Scalar,
    ShownDate,
    Text,
    digits_of,
)
from app.schemas.queries import StrictQuerySchema

MAX_EVENT = 255
MAX_ID = 128
MAX_AHEAD = 24 * 3_600_000  # milliseconds: clocks of phones are wrong by hours, not by days
MAX_PAGE = 100
DEFAULT_PAGE = 10


class EventTime(Date):
    """When something happened: at most MAX_AHEAD ahead of our clock."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        time = super()._deserialize(value, attr, data, **kwargs)
        if time > clock.now() + MAX_AHEAD:
            raise ValidationError("Must not be more than 24 hours ahead.")
        return time

    def load_column(self, column: Column) -> Column | None:
        """Return the times as epoch milliseconds, if none is too far ahead."""
        times = super().load_column(column)
        return times if times is not None and max(times, default=0) <= clock.now() + MAX_AHEAD else None


class EventName(Text):
    """The caller's name for an event: a string, or an integer, which is taken as its digits.

    It is looked up before the event is stored, so that no event with one is a plain write.
    """

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.metadata = {"type": ["string", "integer"], **self.metadata}

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        return super()._deserialize(digits_of(value), attr, data, **kwargs)

    load_column = ByValue.load_column


class EventSchema(Schema):
    """The body of `POST /users/{uid}/events`."""

    class Meta:
        unknown = EXCLUDE

    event = Text(
        required=True,
        validate=validate.Length(min=1, max=MAX_EVENT),
        metadata={"description": "What happened.", "example": "Paid"},
    )
    value = Scalar(allow_none=True, metadata={"description": "One value that says it all.", "example": 49.5})
    properties = Flat(
        MAX_PROPERTIES,
        MAX_META_KEY,
        allow_none=True,
        metadata={
            "description": f"More about it, at most {MAX_PROPERTIES} keys of 1 to {MAX_META_KEY} characters.",
            "example": {"currency": "USD"},
        },
    )
    timestamp = EventTime(
        allow_none=True,
        metadata={
            "description": "When it happened, at most 24 hours ahead; now if not said.",
            "example": "2026-01-12T05:24:39Z",
        },
    )

    id = EventName(
        allow_none=True,
        validate=validate.Length(min=1, max=MAX_ID),
        metadata={
            "description": "Your name for this event: a second one of that id is answered ok and not stored.",
            "example": "order-4711-paid",
        },
    )


class ShownEventSchema(Schema):
    """An event."""

    id = fields.String(
        metadata={
            "description": "Ours, ordered by time.",
            "pattern": ids.PATTERN,
            "example": "6a7fc6477241fcec31a9548e",
        }
    )
    event = fields.String(metadata={"example": "Paid"})
    value = Scalar(allow_none=True, metadata={"example": 49.5})
    properties = Flat(MAX_PROPERTIES, metadata={"example": {"currency": "USD"}})
    timestamp = ShownDate(metadata={"description": "UTC, milliseconds.", "example": "2026-01-12T05:24:39.000+00:00"})


class EventPageSchema(Schema):
    """A page of events, newest first."""

    data = fields.List(fields.Nested(ShownEventSchema), required=True)
    next_cursor = fields.String(
        metadata={
            "description": "Given if there are older ones.",
            "pattern": cursors.EVENT_PATTERN,
            "example": "41a59f1d9c18" + "6a7fc6477241fcec31a9548e",
        }
    )


class EventQuerySchema(StrictQuerySchema):
    """Which events to show."""

    limit = Limit(MAX_PAGE, load_default=DEFAULT_PAGE, metadata={"description": "Rows a page.", "example": 10})
    next_cursor = EventCursor(metadata={"description": "The `next_cursor` of the page before."})
    event = Text(
        validate=validate.Length(min=1, max=MAX_EVENT),
        metadata={"description": "Only events of this name.", "example": "Paid"},
    )
    since = QueryDate(metadata={"description": "Only events from this moment on.", "example": "2026-01-01"})
    until = QueryDate(metadata={"description": "Only events before this moment.", "example": "2026-02-01"})

    @post_load
    def _rename(self, data: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        return {"cursor" if name == "next_cursor" else name: value for name, value in data.items()}
