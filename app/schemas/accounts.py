"""Accounts and merging on the wire (engage.md sections 4.5 and 4.6)."""

from marshmallow import EXCLUDE, Schema, fields, validate

from app.schemas.fields import MAX_NAME, StoredUid, Text, Uid
from app.schemas.users import MAX_LISTS, AccountEntrySchema


class JoinSchema(Schema):
    """The body of `POST /users/{uid}/accounts`."""

    class Meta:
        unknown = EXCLUDE

    accounts = fields.List(
        fields.Nested(AccountEntrySchema),
        required=True,
        validate=validate.Length(min=1, max=MAX_LISTS),
        metadata={"description": "The accounts to join.", "example": [{"id": "acme", "role": "owner"}]},
    )


class RoleSchema(Schema):
    """The body of `PUT /users/{uid}/accounts/{account}`."""

    class Meta:
        unknown = EXCLUDE

    role = Text(
        required=True,
        allow_none=True,
        validate=validate.Length(max=MAX_NAME),
        metadata={"description": "What the user is in the account.", "example": "owner"},
    )


class ConvertSchema(Schema):
    """The body of `POST /users/{uid}/convert`."""

    class Meta:
        unknown = EXCLUDE

    type = Text(
        required=True,
        validate=validate.OneOf(["customer", "account"]),
        metadata={"description": "What to become.", "example": "account"},
    )


class MergeSchema(Schema):
    """The body of `POST /users/merge`."""

    class Meta:
        unknown = EXCLUDE

    source = StoredUid(required=True, metadata={"description": "Who goes.", "example": "anonymous-7f3a"})
    destination = Uid(required=True, metadata={"description": "Who stays, or the new uid.", "example": "u144"})


class QueuedSchema(Schema):
    """It is done: `queued` is a promise kept early."""

    status = fields.String(
        required=True, validate=validate.Equal("queued"), metadata={"enum": ["queued"], "example": "queued"}
    )
