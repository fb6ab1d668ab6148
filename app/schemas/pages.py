"""Pages of users: which to show, and how they are answered (engage.md section 4.4)."""

from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate, validates_schema

from app import ids
from app.schemas.fields import MAX_EMAIL, Cursor, Limit, Text
from app.schemas.users import UserSchema

MAX_PAGE = 30
DEFAULT_PAGE = 10
_EXAMPLE = "5fc6477241fcec31a9548e98"
CURSORS = ("next_cursor", "previous_cursor", "after_id", "before_id")


class PageQuerySchema(Schema):
    """Which page to show; of the cursors at most one."""

    class Meta:
        unknown = EXCLUDE

    limit = Limit(MAX_PAGE, load_default=DEFAULT_PAGE, metadata={"description": "Rows a page.", "example": 10})
    next_cursor = Cursor(metadata={"description": "The `next_cursor` of the page before this one."})
    previous_cursor = Cursor(metadata={"description": "The `previous_cursor` of the page after this one."})
    after_id = Cursor(metadata={"description": "As `next_cursor`.", "deprecated": True})
    before_id = Cursor(metadata={"description": "As `previous_cursor`.", "deprecated": True})

    @validates_schema
    def _one_cursor(self, data: dict[str, Any], **kwargs: Any) -> None:
        given = [name for name in CURSORS if name in data]
        if len(given) > 1:
            raise ValidationError(f"Must not be given together with {given[0]}.", given[1])


class UserQuerySchema(PageQuerySchema):
    """Which users to show."""

    email = Text(
        validate=validate.Length(max=MAX_EMAIL),
        metadata={"description": "Only users with this address, whatever its capitals.", "example": "a@b.co"},
    )


class UserPageSchema(Schema):
    """A page of users in the order of their ids."""

    data = fields.List(fields.Nested(UserSchema), required=True)
    next_cursor = fields.String(
        metadata={"description": "Given if there is a next page.", "pattern": ids.PATTERN, "example": _EXAMPLE}
    )
    previous_cursor = fields.String(
        metadata={"description": "Given if there is a page before.", "pattern": ids.PATTERN, "example": _EXAMPLE}
    )
    has_more = fields.Boolean(metadata={"description": "In place of the cursors, to the deprecated parameters."})
