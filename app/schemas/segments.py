"""Segments on the wire (docs/segments.md)."""

from marshmallow import EXCLUDE, Schema, fields, validate

from app.domain import ids
from app.schemas.fields import Flag, Limit, ShownDate, Text, Uid
from app.schemas.pages import CursorQuerySchema
from app.schemas.queries import StrictQuerySchema
from app.schemas.rules import RuleField
from app.schemas.users import UserSchema

MAX_NAME = 128
MAX_DESCRIPTION = 255
MAX_PAGE, DEFAULT_PAGE = 100, 10
MAX_LEVELS = 32  # of the JSON of a body: ten levels of rules, each an object and an array, and what a leaf has in it
_ID = "62bbdd2e5bfea4dca4834045"


class SegmentFieldsSchema(Schema):
    """The fields of a segment that callers may write. Everything else in the body is ignored."""

    class Meta:
        unknown = EXCLUDE

    name = Text(
        validate=validate.Length(min=1, max=MAX_NAME), metadata={"description": "Its name.", "example": "Paying pros"}
    )
    description = Text(
        allow_none=True,
        validate=validate.Length(max=MAX_DESCRIPTION),
        metadata={"description": "What it is for.", "example": "Who gets the beta"},
    )
    rule = RuleField()


class CreateSegmentSchema(SegmentFieldsSchema):
    """The body of `POST /segments`."""

    name = Text(
        required=True,
        validate=validate.Length(min=1, max=MAX_NAME),
        metadata={"description": "Its name.", "example": "Paying pros"},
    )
    rule = RuleField(required=True)


class ShownSegmentSchema(Schema):
    """A segment."""

    id = fields.String(required=True, metadata={"pattern": ids.PATTERN, "example": _ID})
    name = fields.String(required=True, metadata={"example": "Paying pros"})
    description = fields.String(required=True, allow_none=True, metadata={"example": None})
    rule = RuleField(required=True)
    created_at = ShownDate(
        required=True, metadata={"description": "UTC, milliseconds.", "example": "2026-01-12T05:24:39.062+00:00"}
    )
    updated_at = ShownDate(
        required=True, metadata={"description": "UTC, milliseconds.", "example": "2026-01-12T05:24:39.062+00:00"}
    )


class SegmentQuerySchema(CursorQuerySchema):
    """Which segments to show."""

    limit = Limit(MAX_PAGE, load_default=DEFAULT_PAGE, metadata={"description": "Rows a page.", "example": 10})


class SegmentPageSchema(Schema):
    """A page of segments in the order of their ids, that of everybody first."""

    data = fields.List(fields.Nested(ShownSegmentSchema), required=True)
    next_cursor = fields.String(
        metadata={"description": "Given if there is a next page.", "pattern": ids.PATTERN, "example": _ID}
    )
    previous_cursor = fields.String(
        metadata={"description": "Given if there is a page before.", "pattern": ids.PATTERN, "example": _ID}
    )


class CountSchema(Schema):
    """How many users are in a segment."""

    count = fields.Integer(required=True, metadata={"example": 1240})
    exact = fields.Boolean(
        required=True,
        metadata={"description": "Whether they were counted; false: told from every 256th user.", "example": True},
    )


class PreviewedRuleSchema(Schema):
    """A rule that is not stored."""

    class Meta:
        unknown = EXCLUDE

    rule = RuleField(required=True)


class PreviewSchema(CountSchema):
    """What a rule would answer: how many users, and the first ten of them."""

    users = fields.List(fields.Nested(UserSchema), required=True)


class ExplainQuerySchema(StrictQuerySchema):
    """Whom to explain."""

    uid = Uid(required=True, metadata={"description": "The uid of the user.", "example": "u144"})


class ReasonsSchema(Schema):
    """Why a user is in a segment or is not."""

    id = fields.String(required=True, metadata={"pattern": ids.PATTERN, "example": _ID})
    uid = fields.String(required=True, metadata={"example": "u144"})
    member = fields.Boolean(required=True, metadata={"description": "Whether the user is in it.", "example": True})
    suppressed = fields.Boolean(required=True, metadata={"example": False})
    at = ShownDate(
        required=True, metadata={"description": "When it was asked.", "example": "2026-01-12T05:24:39.062+00:00"}
    )
    rule = fields.Dict(
        required=True,
        metadata={
            "description": "The rule, with `result` at every node, and `found` at every leaf: the value it looked at.",
            "example": {"attribute": "meta.plan", "is": "pro", "result": True, "found": "pro"},
        },
    )


class ChangeSchema(Schema):
    """Somebody who entered a segment or left it."""

    id = fields.String(
        required=True,
        metadata={"description": "Ours, ordered by time: a cursor.", "pattern": ids.PATTERN, "example": _ID},
    )
    uid = fields.String(required=True, metadata={"example": "u144"})
    change = fields.String(required=True, metadata={"enum": ["entered", "left"], "example": "entered"})
    at = ShownDate(
        required=True, metadata={"description": "When it was found.", "example": "2026-01-12T05:24:39.062+00:00"}
    )


class ChangePageSchema(Schema):
    """A page of changes, oldest first."""

    data = fields.List(fields.Nested(ChangeSchema), required=True)
    next_cursor = fields.String(
        metadata={"description": "Given if there is a next page.", "pattern": ids.PATTERN, "example": _ID}
    )
    previous_cursor = fields.String(
        metadata={"description": "Given if there is a page before.", "pattern": ids.PATTERN, "example": _ID}
    )


class SuppressedSchema(Schema):
    """Whether a user is suppressed in a segment."""

    class Meta:
        unknown = EXCLUDE

    suppressed = Flag(required=True, metadata={"description": "Whether it is to be left out.", "example": True})
