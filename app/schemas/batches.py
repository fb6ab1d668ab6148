"""Batches on the wire (engage.md section 6)."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from app import errors, strict_json, uids
from app.schemas import quick
from app.schemas.events import EventSchema
from app.schemas.fields import Uid
from app.schemas.users import CreateUserSchema, UpdateUserSchema

MAX_ITEMS = 1000
MAX_BODY = 1024 * 1024  # bytes


class BatchSchema(Schema):
    """The body of `POST /batch`. Each item is checked by itself."""

    class Meta:
        unknown = EXCLUDE

    data = fields.List(
        fields.Raw(
            allow_none=True,
            metadata={
                "description": "`type` (create, update or event), `id` (the uid) and the fields of that route.",
                "example": {"type": "event", "id": "u144", "event": "Paid"},
            },
        ),
        required=True,
        validate=validate.Length(max=MAX_ITEMS),
        metadata={
            "description": "What to do, in order.",
            "example": [
                {"type": "update", "id": "u144", "first_name": "Ada"},
                {"type": "event", "id": "u144", "event": "Paid"},
            ],
        },
    )


class RefusedSchema(Schema):
    """An item that was refused, and why."""

    index = fields.Integer(required=True, metadata={"description": "Its place in `data`, from 0.", "example": 1})
    code = fields.String(required=True, metadata={"example": "invalid_input"})
    error = fields.String(required=True, metadata={"example": "email: Must be a valid email address."})
    details = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String()),
        metadata={"example": {"email": ["Must be a valid email address."]}},
    )


class VerdictsSchema(Schema):
    """What became of a batch: good items are stored even when others are bad."""

    status = fields.String(required=True, metadata={"enum": ["queued"], "example": "queued"})
    accepted = fields.Integer(required=True, metadata={"description": "How many are stored.", "example": 1})
    rejected = fields.Integer(required=True, metadata={"description": "How many are not.", "example": 0})
    errors = fields.List(
        fields.Nested(RefusedSchema), required=True, metadata={"description": "Each of those.", "example": []}
    )


class LoadedItem(NamedTuple):
    """An item as loaded, or what is wrong with it as marshmallow says it."""

    position: int
    type: str
    uid: str
    fields: dict[str, Any]
    messages: dict[str, Any] | None = None


_UID = Uid(required=True)
_SCHEMAS = {"create": CreateUserSchema(exclude=("id",)), "update": UpdateUserSchema(), "event": EventSchema()}


def load_items(items: list[Any], check_texts: bool) -> Iterator[LoadedItem]:
    """Yield each item, loaded by the schema of its type. check_texts: whether one may have NUL or a lone surrogate."""
    for index, item in enumerate(items):
        try:
            if check_texts:
                strict_json.check_text(item)
            yield _load(index, item)
        except ValidationError as error:
            yield LoadedItem(index, "", "", {}, dict(error.normalized_messages()))  # type: ignore[no-untyped-call]
        except errors.InvalidInput as failure:
            yield LoadedItem(index, "", "", {}, dict(failure.details))


def _load(index: int, item: Any) -> LoadedItem:
    if not isinstance(item, dict):
        raise ValidationError("Must be an object.", "item")
    kind = item.get("type")
    if not isinstance(kind, str) or kind not in _SCHEMAS:
        raise ValidationError("Must be create, update or event.", "type")
    uid: Any = item.get("id")
    if uid.__class__ is not str or not uids.is_plain(uid):
        try:
            uid = _UID.deserialize(uid)
        except ValidationError as error:
            raise ValidationError({"id": error.messages}) from None
    fields_of_route = {name: value for name, value in item.items() if name != "id"}
    loaded = (quick.event if kind == "event" else quick.user)(fields_of_route)
    return LoadedItem(index, kind, uid, _SCHEMAS[kind].load(fields_of_route) if loaded is None else loaded)
