"""Customers on the wire (atomic.md section 3)."""

from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from app.domain import ids, profiles
from app.schemas.fields import Cursor, Limit, ShownDate, Text
from app.schemas.preferences import PreferencesSchema
from app.schemas.queries import StrictQuerySchema

MAX_PAGE = 1000
DEFAULT_PAGE = 100
_UID = "u144"
PROFILE = {"email": "ada@example.com", "city": "Lagos"}


class OneQuerySchema(StrictQuerySchema):
    """Which customer to show."""

    id = Text(required=True, metadata={"description": "The customer's id.", "example": _UID})


class CustomerQuerySchema(StrictQuerySchema):
    """Which customers to show."""

    limit = Limit(MAX_PAGE, load_default=DEFAULT_PAGE, metadata={"description": "Customers a page.", "example": 100})
    segment = Text(
        data_key="segmentId",
        metadata={"description": "Only those who are in this segment now.", "example": "62bbdd2e5bfea4dca4834045"},
    )
    cursor = Cursor(metadata={"description": "The `cursor` of the page before this one."})


class MembershipSchema(Schema):
    """A place in a segment."""

    active = fields.Boolean(metadata={"example": True})


def profile_field(**keywords: object) -> fields.Dict:
    """Return the field of a profile as it is shown."""
    return fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        metadata={"description": "The fields that have a value.", "example": PROFILE, **keywords},
    )


class CustomerSchema(Schema):
    """A customer: a user, as the Atomic API shows it."""

    id = fields.String(required=True, metadata={"description": "The user's uid.", "example": _UID})
    preferences = fields.Nested(PreferencesSchema, required=True)
    preferences_updated = ShownDate(
        data_key="preferencesUpdated",
        required=True,
        allow_none=True,
        metadata={"description": "When they changed last.", "example": None},
    )
    created = ShownDate(required=True, metadata={"example": "2021-01-12T05:24:39.062Z"})
    profile = profile_field()
    segments = fields.Dict(
        required=True,
        keys=fields.String(),
        values=fields.Nested(MembershipSchema),
        metadata={"description": "The segments that the customer is in now.", "example": {}},
    )


class CustomerReplySchema(Schema):
    """A customer, in its envelope."""

    data = fields.Nested(CustomerSchema, required=True)


class CustomersSchema(Schema):
    """Customers, and where they go on."""

    users = fields.List(fields.Nested(CustomerSchema), required=True)
    cursor = fields.String(
        metadata={
            "description": "Given if there are more.",
            "pattern": ids.PATTERN,
            "example": "5fc6477241fcec31a9548e98",
        }
    )


class CustomerPageSchema(Schema):
    """A page of customers."""

    data = fields.Nested(CustomersSchema, required=True)


class WrittenSchema(Schema):
    """A customer after a write."""

    id = fields.String(required=True, metadata={"description": "The user's uid.", "example": _UID})
    profile = profile_field()


class WrittenCustomersSchema(Schema):
    """Customers after a write."""

    users = fields.List(fields.Nested(WrittenSchema), required=True)


class StoredSchema(Schema):
    """Customers after a write, in their envelope."""

    data = fields.Nested(WrittenCustomersSchema, required=True)


class FieldName(Text):
    """The name of a custom field."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        name = super()._deserialize(value, attr, data, **kwargs)
        if not profiles.is_name(name):
            raise ValidationError("Must be a letter and up to 63 letters, digits or underscores.")
        if name in profiles.RESERVED:
            raise ValidationError("Must be another name: this one is reserved.")
        return name


class FieldSchema(Schema):
    """A custom field of profiles."""

    class Meta:
        unknown = EXCLUDE

    name = FieldName(
        required=True,
        metadata={
            "description": "Its name in profiles, for good; no reserved one.",
            "pattern": profiles.NAME_PATTERN,
            "example": "favourite_colour",
        },
    )
    label = Text(
        required=True,
        validate=validate.Length(min=1, max=profiles.MAX_LABEL),
        metadata={"description": "What people call it.", "example": "Favourite colour"},
    )
    type = Text(
        required=True,
        validate=validate.OneOf([profiles.TEXT, profiles.DATE]),
        metadata={"description": "What its values are, for good.", "example": profiles.TEXT},
    )


class FieldsSchema(Schema):
    """Custom fields of profiles."""

    data = fields.List(fields.Nested(FieldSchema), required=True)


class AtomicErrorSchema(Schema):
    """One thing that is wrong with a request to the Atomic API."""

    title = fields.String(required=True, metadata={"description": "One sentence.", "example": "limit: Must be 1."})
    code = fields.String(required=True, metadata={"pattern": "^[a-z][a-z0-9_]*$", "example": "invalid_input"})
    detail = fields.String(allow_none=True, metadata={"example": "Must be 1."})
    source = fields.Dict(
        keys=fields.String(validate=validate.OneOf(["pointer", "parameter"])),
        values=fields.String(),
        metadata={
            "description": "The place in the body (RFC 6901) or the parameter.",
            "example": {"parameter": "limit"},
        },
    )


class AtomicErrorsSchema(Schema):
    """What went wrong, at most 20 things."""

    errors = fields.List(fields.Nested(AtomicErrorSchema), required=True)


class OauthErrorSchema(Schema):
    """Why there is no token (RFC 6749 section 5.2)."""

    error = fields.String(required=True, metadata={"example": "invalid_client"})
    error_description = fields.String(metadata={"example": "The client is unknown, or its secret is wrong."})
