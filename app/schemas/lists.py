"""Lists on the wire (engage.md section 5)."""

from typing import Any
from urllib.parse import urlsplit

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate, validates_schema

from app.domain import ids
from app.domain.consent import PENDING, SUBSCRIBED, UNSUBSCRIBED
from app.schemas.fields import MAX_NAME, Date, Email, Flag, PhoneNumber, Rule, ShownDate, Text
from app.schemas.pages import CursorQuerySchema
from app.schemas.users import MAX_LISTS, meta_field

MAX_TITLE = 64
MAX_DESCRIPTION = 255
MAX_URL = 2048


class WebAddress(Text):
    """An http or https URL."""

    def __init__(self, **kwargs: Any):
        metadata = {"format": "uri", "pattern": "^https?://", **kwargs.pop("metadata", {})}
        super().__init__(validate=validate.Length(max=MAX_URL), metadata=metadata, **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            parts = urlsplit(text)
        except ValueError:
            raise ValidationError("Must be an http or https URL.") from None
        if parts.scheme not in ("http", "https") or not parts.hostname or not text.isprintable() or " " in text:
            raise ValidationError("Must be an http or https URL.")
        return text


class ListFieldsSchema(Schema):
    """The fields of a list that callers may write. Everything else in the body is ignored."""

    class Meta:
        unknown = EXCLUDE

    title = Text(
        validate=validate.Length(min=1, max=MAX_TITLE), metadata={"description": "Its name.", "example": "Weekly news"}
    )
    description = Text(
        allow_none=True,
        validate=validate.Length(max=MAX_DESCRIPTION),
        metadata={"description": "What it is about.", "example": "What is new, on Mondays"},
    )
    redirect_url = WebAddress(
        allow_none=True,
        metadata={"description": "Where somebody is sent who confirms.", "example": "https://somecorp.email/thanks"},
    )
    double_optin = Flag(
        metadata={
            "description": "Whether a new subscriber must confirm before counting as subscribed.",
            "example": False,
        }
    )


class CreateListSchema(ListFieldsSchema):
    """The body of `POST /lists`."""

    title = Text(
        required=True,
        validate=validate.Length(min=1, max=MAX_TITLE),
        metadata={"description": "Its name.", "example": "Weekly news"},
    )


class ListSchema(Schema):
    """A list."""

    id = fields.String(metadata={"pattern": ids.PATTERN, "example": "60036440419768607192801b"})
    title = fields.String(metadata={"example": "Weekly news"})
    description = fields.String(allow_none=True, metadata={"example": None})
    subscriber_count = fields.Integer(metadata={"description": "Subscribed and pending.", "example": 0})
    broadcast_count = fields.Integer(metadata={"description": "0: Rollcall sends none.", "example": 0})
    double_optin = fields.Boolean(metadata={"example": False})
    redirect_url = fields.String(allow_none=True, metadata={"example": None})
    created_at = ShownDate(metadata={"description": "UTC, milliseconds.", "example": "2011-10-05T14:48:00.000Z"})


class ListPageSchema(Schema):
    """A page of lists in the order of their ids."""

    data = fields.List(fields.Nested(ListSchema), required=True)
    next_cursor = fields.String(
        metadata={"description": "Given if there is a next page.", "example": "60036440419768607192801b"}
    )
    previous_cursor = fields.String(
        metadata={"description": "Given if there is a page before.", "example": "60036440419768607192801b"}
    )
    has_more = fields.Boolean(metadata={"description": "In place of the cursors, to the deprecated parameters."})


class PersonSchema(Schema):
    """The body of `POST /lists/{id}/subscribers`: an email or a number, and what else is known."""

    class Meta:
        unknown = EXCLUDE

    email = Email(
        allow_none=True, metadata={"description": "Who: the oldest user of it, else somebody new.", "example": "a@b.co"}
    )
    number = PhoneNumber(
        allow_none=True, metadata={"description": "Who, if nobody has the email.", "example": "+234 803 123 4567"}
    )
    first_name = Text(allow_none=True, validate=validate.Length(max=MAX_NAME), metadata={"example": "Akinyele"})
    last_name = Text(allow_none=True, validate=validate.Length(max=MAX_NAME), metadata={"example": "Jinadu"})
    created_at = Date(metadata={"description": "When somebody new signed up.", "example": "2020-08-11"})
    meta = meta_field(metadata={"description": "Attributes of somebody new.", "example": {"plan": "pro"}})

    @validates_schema
    def _needs_one(self, data: dict[str, Any], **kwargs: Any) -> None:
        if not data.get("email") and not data.get("number"):
            raise ValidationError("Needs an email or a number.", "email")


class SubscriberSchema(Schema):
    """Who was put on the list."""

    uid = fields.String(required=True, metadata={"example": "1456"})
    confirmation_url = fields.String(
        metadata={"description": "For the mail, where double_optin awaits it; valid for 7 days.", "format": "uri"}
    )
    unsubscribe_url = fields.String(
        metadata={"description": "For the List-Unsubscribe header of mails (RFC 8058).", "format": "uri"}
    )


class PlaceSchema(SubscriberSchema):
    """Somebody's place on a list."""

    subscribed = fields.Boolean(required=True, metadata={"description": "Whether mails are wanted.", "example": True})
    pending = fields.Boolean(required=True, metadata={"description": "Whether to be confirmed.", "example": False})


class SubscribedFlag(Rule):
    """true or false; the strings "true" and "false" too, as the PHP SDK sends them."""

    schema = {"anyOf": [{"type": "boolean"}, {"type": "string", "enum": ["true", "false"]}]}  # noqa: RUF012

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool) and value not in ("true", "false"):
            raise ValidationError("Must be true or false.")
        return value in (True, "true")


class SubscribedSchema(Schema):
    """Whether the user is subscribed."""

    class Meta:
        unknown = EXCLUDE

    subscribed = SubscribedFlag(
        required=True, metadata={"description": "Whether to get what is sent.", "example": True}
    )


class SubscribersQuerySchema(CursorQuerySchema):
    """Which places on a list to show."""

    status = Text(
        validate=validate.OneOf((SUBSCRIBED, PENDING, UNSUBSCRIBED)),
        metadata={"description": "Only places in that state.", "example": "pending"},
    )


class ListedSchema(Schema):
    """A user's place on a list, as listed."""

    uid = fields.String(required=True, metadata={"example": "u144"})
    status = fields.String(required=True, metadata={"enum": [SUBSCRIBED, PENDING, UNSUBSCRIBED], "example": "pending"})
    confirmation_url = fields.String(metadata={"description": "While it is pending: for the mail that asks."})


class SubscribersPageSchema(Schema):
    """A page of places on a list, in the order in which the users came."""

    data = fields.List(fields.Nested(ListedSchema), required=True)
    next_cursor = fields.String(
        metadata={"description": "Given if there is a next page.", "example": "60036440419768607192801b"}
    )
    previous_cursor = fields.String(
        metadata={"description": "Given if there is a page before.", "example": "60036440419768607192801b"}
    )


class ListIdsSchema(Schema):
    """The body of `POST` and `DELETE /users/{uid}/lists`."""

    class Meta:
        unknown = EXCLUDE

    lists = fields.List(
        Text(metadata={"example": "60036440419768607192801b"}),
        required=True,
        validate=validate.Length(max=MAX_LISTS),
        metadata={"description": "Ids of lists.", "example": ["60036440419768607192801b"]},
    )
