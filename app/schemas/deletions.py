"""Deletions on the wire (atomic.md section 3)."""

from marshmallow import EXCLUDE, Schema, fields, validate

from app.domain import ids
from app.schemas.fields import Cursor, Limit, ShownDate, StoredUid, Text
from app.schemas.queries import StrictQuerySchema

MAX_IDS = 1000
MAX_PAGE = 1000
DEFAULT_PAGE = 100
STATES = ("pending", "erased", "failed")
_ID = "6a7fc6477241fcec31a9548e"
_DATE = "2026-01-12T05:24:39.062Z"


class IdsSchema(Schema):
    """The body of `PUT /v1/{environment}/delete-users`."""

    class Meta:
        unknown = EXCLUDE

    data = fields.List(
        StoredUid(),
        required=True,
        validate=validate.Length(max=MAX_IDS),
        metadata={"description": "Ids of customers.", "example": ["u144", "u145"]},
    )


class DeletedSchema(Schema):
    """The ids of the request, without an envelope."""

    user_ids = fields.List(fields.String(), data_key="userIds", required=True, metadata={"example": ["u144", "u145"]})


class DeletionQuerySchema(StrictQuerySchema):
    """Which deletions to show."""

    limit = Limit(MAX_PAGE, load_default=DEFAULT_PAGE, metadata={"description": "Deletions a page.", "example": 100})
    cursor = Cursor(metadata={"description": "The `cursor` of the page before this one."})
    state = Text(
        validate=validate.OneOf(STATES), metadata={"description": "Only those that stand so.", "example": "pending"}
    )


class DeletionSchema(Schema):
    """Somebody who was deleted; who, is not told."""

    id = fields.String(required=True, metadata={"pattern": ids.PATTERN, "example": _ID})
    state = fields.String(
        required=True,
        validate=validate.OneOf(STATES),
        metadata={"description": "`failed` was tried often and given up; the log says why.", "example": "erased"},
    )
    requested = ShownDate(required=True, metadata={"description": "When it was asked for.", "example": _DATE})
    due = ShownDate(required=True, metadata={"description": "When it was to be done.", "example": _DATE})
    erased = ShownDate(required=True, allow_none=True, metadata={"description": "When it was done.", "example": _DATE})
    attempts = fields.Integer(required=True, metadata={"description": "How often it was tried.", "example": 1})


class DeletionsSchema(Schema):
    """Deletions, and where they go on."""

    deletions = fields.List(fields.Nested(DeletionSchema), required=True)
    cursor = fields.String(metadata={"description": "Given if there are more.", "pattern": ids.PATTERN, "example": _ID})


class DeletionPageSchema(Schema):
    """A page of deletions, newest first."""

    data = fields.Nested(DeletionsSchema, required=True)
