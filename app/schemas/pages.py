"""Pages of users on the wire (engage.md section 4.4)."""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from app.domain import ids
from app.schemas.fields import MAX_EMAIL, MAX_META_KEY, Cursor, Flag, Id, Limit, PhoneNumber, QueryDate, Text
from app.schemas.queries import META, StrictQuerySchema
from app.schemas.users import UserSchema
from app.strict_json import is_storable

MAX_PAGE = 30
DEFAULT_PAGE = 10
MAX_QUERY_LISTS = 30
_EXAMPLE = "5fc6477241fcec31a9548e98"
CURSORS = ("next_cursor", "previous_cursor", "after_id", "before_id")


class CursorQuerySchema(StrictQuerySchema):
    """Which page to show; of the cursors at most one."""

    limit = Limit(MAX_PAGE, load_default=DEFAULT_PAGE, metadata={"description": "Rows a page.", "example": 10})
    next_cursor = Cursor(metadata={"description": "The `next_cursor` of the page before this one."})
    previous_cursor = Cursor(metadata={"description": "The `previous_cursor` of the page after this one."})

    @validates_schema
    def _one_cursor(self, data: dict[str, Any], **kwargs: Any) -> None:
        given = [name for name in CURSORS if name in data]
        if len(given) > 1:
            raise ValidationError(f"Must not be given together with {given[0]}.", given[1])


class PageQuerySchema(CursorQuerySchema):
    """The same, and the vendor's deprecated names of the cursors."""

    after_id = Cursor(metadata={"description": "As `next_cursor`.", "deprecated": True})
    before_id = Cursor(metadata={"description": "As `previous_cursor`.", "deprecated": True})


class QueryFlag(Flag):
    """true or false, in a query."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> bool:
        return super()._deserialize({"true": True, "false": False}.get(value, value), attr, data, **kwargs)


class FieldNames(Text):
    """Names of fields of a user, with commas between."""

    def __init__(self, **kwargs: Any):
        name = "|".join(UserSchema._declared_fields)
        metadata = {"pattern": f"^({name})(,({name}))*$", **kwargs.pop("metadata", {})}
        super().__init__(metadata=metadata, **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        names = super()._deserialize(value, attr, data, **kwargs).split(",")
        unknown = [name for name in names if name not in UserSchema._declared_fields]
        if unknown:
            raise ValidationError(f"Must be fields of a user; {unknown[0][:64]!a} is none.")
        return names


class UserQuerySchema(PageQuerySchema):
    """Which users to show, and how much of them."""

    email = Text(
        validate=validate.Length(max=MAX_EMAIL),
        metadata={"description": "Only users with this address, whatever its capitals.", "example": "a@b.co"},
    )
    number = PhoneNumber(
        metadata={
            "description": "Only users with this number, whatever stands between.",
            "example": "+234 803 123 4567",
        }
    )
    is_account = QueryFlag(metadata={"description": "Only accounts, or only customers.", "example": True})
    archived = QueryFlag(metadata={"description": "Only archived users, or only others.", "example": False})
    created_since = QueryDate(metadata={"description": "Only users from this moment on.", "example": "2026-01-01"})
    created_until = QueryDate(metadata={"description": "Only users before this moment.", "example": "2026-02-01"})
    lists = fields.List(
        Id("list"),
        data_key="lists[]",
        validate=validate.Length(max=MAX_QUERY_LISTS),
        metadata={"description": "Only users on one of these lists.", "example": ["60036440419768607192801b"]},
    )
    segment = Id(
        "segment",
        metadata={"description": "Only users in this segment.", "example": "62bbdd2e5bfea4dca4834045"},
    )
    order = Text(
        validate=validate.OneOf(["asc", "desc"]),
        metadata={"description": "`desc` shows the newest first.", "example": "asc"},
    )
    shown = FieldNames(
        data_key="fields", metadata={"description": "Only these fields of each user.", "example": "uid,email"}
    )

    @post_load(pass_original=True)
    def _take_meta(self, data: dict[str, Any], original: Mapping[str, Any], **kwargs: Any) -> dict[str, Any]:
        """`meta.KEY=value`: an attribute to have."""
        meta = {name.removeprefix(META): text for name, text in original.items() if name.startswith(META)}
        for key, text in meta.items():
            if not 1 <= len(key) <= MAX_META_KEY or not is_storable(key + text):
                raise ValidationError(f"Must name an attribute in 1 to {MAX_META_KEY} characters.", "meta")
        return {**{name: value for name, value in data.items() if not name.startswith(META)}, "meta": meta}


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
