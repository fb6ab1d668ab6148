"""Users on the wire: what callers may write (engage.md 4.1, 4.2) and what they read (section 3)."""

from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, validate, validates_schema

from app.domain import ids, shape, uids
from app.domain.consent import PENDING, SUBSCRIBED, UNSUBSCRIBED
from app.domain.writes import Place
from app.schemas.fields import (
    MAX_META_KEY,
    MAX_META_KEYS,
    MAX_META_VALUE,
    MAX_NAME,
    MAX_TOKEN,
    ByValue,
    Date,
    Email,
    Flag,
    Flat,
    PhoneNumber,
    ShownDate,
    Text,
    TimeZone,
    Uid,
)

MAX_LISTS = 1000  # as many as a batch has items; what names more lists than that is no person
MAX_APP_TEXT = 64
PLATFORMS = ("android", "ios")


def meta_field(**keywords: Any) -> Flat:
    """Return the field of a user's attributes."""
    return Flat(MAX_META_KEYS, MAX_META_KEY, MAX_META_VALUE, **keywords)


class AccountEntrySchema(Schema):
    """A place in an account, as sent."""

    error_messages = {"type": 'Must be an object such as {"id": "acme"}.'}  # noqa: RUF012 - marshmallow's way

    class Meta:
        unknown = EXCLUDE

    id = Uid(required=True, metadata={"description": "The account's uid.", "example": "acme"})
    role = Text(
        allow_none=True,
        validate=validate.Length(max=MAX_NAME),
        metadata={"description": "What the user is in the account.", "example": "owner"},
    )


class PlaceField(Text):
    """A list to be on, by its id, or a place as GET shows it: a Place."""

    def __init__(self) -> None:
        super().__init__(
            metadata={
                "oneOf": [
                    {"type": "string", "example": "60036440419768607192801b"},
                    {
                        "type": "object",
                        "properties": {
                            "id": {"type": "string"},
                            "subscribed": {"type": "boolean"},
                            "pending": {"type": "boolean"},
                        },
                        "required": ["id", "subscribed"],
                    },
                ]
            }
        )

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        status = SUBSCRIBED
        if isinstance(value, dict):
            subscribed, pending = value.get("subscribed"), value.get("pending", False)
            if not isinstance(subscribed, bool) or not isinstance(pending, bool):
                raise ValidationError("Must be the id of a list, or a place as GET shows it.")
            status = PENDING if pending else SUBSCRIBED if subscribed else UNSUBSCRIBED
            value = value.get("id")
        return Place(super()._deserialize(value, attr, data, **kwargs), status)

    load_column = ByValue.load_column


class DeviceToken(Text):
    """A push token, which is kept beside the user and belongs to a platform: no plain field of a user."""

    load_column = ByValue.load_column


class UserFieldsSchema(Schema):
    """The fields of a user that callers may write. Everything else in the body is ignored."""

    class Meta:
        unknown = EXCLUDE

    first_name = Text(
        allow_none=True,
        validate=validate.Length(max=MAX_NAME),
        metadata={"description": "First name; null clears it.", "example": "Akinyele"},
    )
    last_name = Text(
        allow_none=True,
        validate=validate.Length(max=MAX_NAME),
        metadata={"description": "Last name; null clears it.", "example": "Jinadu"},
    )
    number = PhoneNumber(
        allow_none=True,
        metadata={"description": "Phone number, kept as sent; null clears it.", "example": "+234 803 123 4567"},
    )
    email = Email(
        allow_none=True,
        metadata={
            "description": "E-mail address, kept as sent, found whatever its capitals, not unique. With the public key "
            "alone it can be set or repeated, not changed.",
            "example": "a.jinadu@somecorp.email",
        },
    )
    is_account = Flag(metadata={"description": "Whether this is an account; converts.", "example": False})
    device_token = DeviceToken(
        allow_none=True,
        validate=validate.Length(min=1, max=MAX_TOKEN),
        metadata={"description": "A push token. The last 5 of a user are kept.", "example": "f3c1a9"},
    )
    device_platform = Text(
        allow_none=True,
        validate=validate.OneOf(PLATFORMS),
        metadata={"description": "The token's platform; needs `device_token`.", "example": "android"},
    )
    lists = fields.List(
        PlaceField(),
        validate=validate.Length(max=MAX_LISTS),
        metadata={
            "description": "Lists to put the user on, by id or as GET shows them: with the secret without a "
            "confirmation. Whoever has left stays so. subscribed: false unsubscribes, with the secret.",
            "example": [],
        },
    )
    accounts = fields.List(
        fields.Nested(AccountEntrySchema),
        validate=validate.Length(max=MAX_LISTS),
        metadata={"description": "Accounts to put the user in.", "example": []},
    )
    created_at = Date(metadata={"description": "When the person signed up; now if not said.", "example": "2020-08-11"})
    meta = meta_field(
        metadata={
            "description": f"Attributes, merged key by key. At most {MAX_META_KEYS} keys after the merge; "
            f"a key has 1 to {MAX_META_KEY} characters, a string value at most {MAX_META_VALUE} bytes.",
            "example": {"plan": "pro", "age": 34},
        }
    )
    tz = TimeZone(allow_none=True, metadata={"description": "Time zone; kept, not shown.", "example": "Africa/Lagos"})
    app_version = Text(
        allow_none=True,
        validate=validate.Length(max=MAX_APP_TEXT),
        metadata={"description": "Version of the app; kept, not shown.", "example": "2.1.0"},
    )
    app_build = Text(
        allow_none=True,
        validate=validate.Length(max=MAX_APP_TEXT),
        metadata={"description": "Build of the app; kept, not shown.", "example": "410"},
    )
    app_last_active = Date(
        allow_none=True,
        metadata={"description": "When the app was last used; kept, not shown.", "example": "2026-01-01T08:00:00Z"},
    )

    @validates_schema
    def _platform_needs_token(self, data: dict[str, Any], **kwargs: Any) -> None:
        if data.get("device_platform") and not data.get("device_token"):
            raise ValidationError("Needs device_token beside it.", "device_platform")


class CreateUid(Uid):
    """The uid of a user to be created: letters and digits, or any where ROLLCALL_CREATE_ID says so."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not uids.may_be_created(text):
            raise ValidationError(uids.CREATE_RULE)
        return text


class CreateUserSchema(UserFieldsSchema):
    """The body of `POST /users`."""

    id = CreateUid(
        required=True,
        metadata={
            "description": "The caller's identifier, which becomes `uid`: letters and digits. For anything else use "
            "`PUT /users/{uid}`, or set `ROLLCALL_CREATE_ID=any`.",
            "anyOf": [{"type": "string", "pattern": uids.CREATE_PATTERN}, {"type": "integer", "minimum": 0}],
            "example": "u144",
        },
    )
    uid = Uid(
        allow_none=True,
        metadata={"description": "If it stands there, the same as `id`: PUT changes a user that GET showed."},
    )

    @validates_schema
    def _names_one_user(self, data: dict[str, Any], **kwargs: Any) -> None:
        if data.get("uid") is not None and data.get("uid") != data.get("id"):
            raise ValidationError(uids.NOT_THE_ID, "uid")

    @post_load
    def _name_it_once(self, data: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        data.pop("uid", None)
        return data


_NEW_UID = "The same as in the path; another one only where `uid_updateable` is true, as its new uid."


class UpdateUserSchema(UserFieldsSchema):
    """The body of `PUT /users/{uid}`."""

    uid = Uid(allow_none=True, metadata={"description": f"{_NEW_UID} null says nothing.", "example": "u144"})

    @post_load
    def _forget_null(self, data: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        return data if data.get("uid", "") is not None else {name: data[name] for name in data if name != "uid"}


class PatchUserSchema(UpdateUserSchema):
    """The body of `PATCH /users/{uid}`: a merge patch (RFC 7396)."""

    uid = Uid(metadata={"description": _NEW_UID, "example": "u144"})

    archived = Flag(metadata={"description": "false brings an archived user back; true is ignored.", "example": False})
    meta = Flat(
        MAX_META_KEYS,
        MAX_META_KEY,
        MAX_META_VALUE,
        nullable=True,
        allow_none=True,
        metadata={
            "description": "Attributes, merged key by key; null removes a key, or all of them.",
            "example": {"plan": "pro", "age": None},
        },
    )


class DeviceSchema(Schema):
    """A push token, as shown."""

    token = fields.String(metadata={"example": "f3c1a9"})
    platform = fields.String(allow_none=True, validate=validate.OneOf(PLATFORMS), metadata={"example": "android"})


class AccountSchema(Schema):
    """A place in an account, as shown."""

    id = fields.String(metadata={"description": "The account's uid.", "example": "acme"})
    role = fields.String(allow_none=True, metadata={"example": None})


class SubscriptionSchema(Schema):
    """A place on a list, as shown."""

    id = fields.String(metadata={"pattern": ids.PATTERN, "example": "60036440419768607192801b"})
    subscribed = fields.Boolean(metadata={"example": True})
    pending = fields.Boolean(metadata={"description": "Only where a confirmation is awaited: true.", "example": True})


class SegmentSchema(Schema):
    """A segment that the user is in."""

    id = fields.String(metadata={"pattern": ids.PATTERN, "example": "62bbdd2e5bfea4dca4834045"})
    suppressed = fields.Boolean(metadata={"example": False})


class StatsSchema(Schema):
    """What became of messages sent to the user: zeros, as Rollcall sends none."""

    delivered = fields.Integer(metadata={"example": 0})
    failed = fields.Integer(metadata={"example": 0})
    opened = fields.Integer(metadata={"example": 0})
    clicked = fields.Integer(metadata={"example": 0})
    unique_opens = fields.Integer(metadata={"example": 0})
    unique_clicks = fields.Integer(metadata={"example": 0})


_ROWS = {"devices": DeviceSchema, "accounts": AccountSchema, "lists": SubscriptionSchema, "segments": SegmentSchema}


def _shown(name: str, field: shape.Field) -> fields.Field[Any]:
    """Return the field that documents a member of the user object."""
    description = {"description": field.description} if field.description else {}
    if field.kind == shape.ROWS:
        return fields.List(fields.Nested(_ROWS[name]), metadata=description)
    metadata = {**description, "example": field.example}
    if field.kind == shape.META:
        return meta_field(metadata=metadata)
    if field.kind == shape.ID:
        return fields.String(metadata={"pattern": ids.PATTERN, **metadata})
    if field.kind == shape.COUNT:
        return fields.Integer(allow_none=True, metadata=metadata)
    found: type[fields.Field[Any]] = _OF_KIND[field.kind]
    return found(allow_none=field.is_nullable and field.kind != shape.PRESENCE, metadata=metadata)


_OF_KIND: dict[str, Any] = {
    shape.TEXT: fields.String,
    shape.FLAG: fields.Boolean,
    shape.PRESENCE: fields.Boolean,
    shape.TIME: ShownDate,
}
_Shown: Any = Schema.from_dict({field.shown_as or name: _shown(name, field) for name, field in shape.FIELDS.items()})


class UserSchema(_Shown):  # type: ignore[misc]
    """A user. The public key alone sees only `id`, `uid` and what it sent, unless its request made the user.

    So no field is sure to be there; `fields` of a page leaves out others.
    """

    stats = fields.Nested(StatsSchema)
