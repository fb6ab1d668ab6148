"""Batches on the wire (engage.md section 6)."""

from collections.abc import Mapping
from itertools import compress
from typing import Any, ClassVar, NamedTuple

from marshmallow import EXCLUDE, Schema, ValidationError, fields

from app import errors, strict_json, uids
from app.schemas import messages, quick
from app.schemas.events import EventSchema
from app.schemas.fields import Rule, Uid
from app.schemas.users import CreateUserSchema, UpdateUserSchema

MAX_ITEMS = 1000
MAX_BODY = 1024 * 1024  # bytes


class Items(Rule):
    """A list of up to MAX_ITEMS of anything: marshmallow's own looks at each, which takes as long as writing ten."""

    schema: ClassVar[dict[str, Any]] = {"type": "array", "items": {}, "maxItems": MAX_ITEMS}

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> list[Any]:
        if not isinstance(value, list):
            raise ValidationError("Not a valid list.")
        if len(value) > MAX_ITEMS:
            raise ValidationError(f"Longer than maximum length {MAX_ITEMS}.")
        return value


class BatchSchema(Schema):
    """The body of `POST /batch`. Each item is checked by itself."""

    class Meta:
        unknown = EXCLUDE

    data = Items(
        required=True,
        metadata={
            "description": "What to do, in order: each with a `type` (create, update or event), an `id` (the uid) and "
            "the fields of that route.",
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
    """An item as loaded, or what is wrong with it. uid: empty where the item names nobody and may."""

    position: int
    type: str
    uid: str
    fields: dict[str, Any]
    failure: errors.Failure | None = None


_UID = Uid(required=True)
_SCHEMAS = {"create": CreateUserSchema(exclude=("id",)), "update": UpdateUserSchema(), "event": EventSchema()}


def load_items(items: list[Any], check_texts: bool) -> list[LoadedItem]:
    """Return each item, loaded by the schema of its type. check_texts: whether one may have NUL or a lone surrogate."""
    loaded = None if check_texts else _load_together(items)
    return [_load_alone(*one, check_texts) for one in enumerate(items)] if loaded is None else loaded


def _load_together(items: list[Any]) -> list[LoadedItem] | None:
    """Load items that are all of the common form; None where one is not: what is wrong is found one by one."""
    if not all(item.__class__ is dict and item.get("type").__class__ is str for item in items):
        return None
    kinds, named = [item["type"] for item in items], [item.get("id") for item in items]
    if not _SCHEMAS.keys() >= set(kinds) or not all(uid.__class__ is str and uids.is_plain(uid) for uid in named):
        return None
    return load_together(kinds, named, [{name: item[name] for name in item if name != "id"} for item in items])


def load_together(kinds: list[str], named: list[str], bodies: list[dict[str, Any]]) -> list[LoadedItem] | None:
    """Load the fields of items whose types and uids are right, if they are of the common form."""
    of_event = [kind == "event" for kind in kinds]
    events = quick.events(list(compress(bodies, of_event)))
    users = quick.users([body for body, is_event in zip(bodies, of_event, strict=True) if not is_event])
    if events is None or users is None:
        return None
    loaded = (iter(users), iter(events))
    fields = [next(loaded[is_event]) for is_event in of_event]
    return list(map(LoadedItem, range(len(kinds)), kinds, named, fields))


def _load_alone(index: int, item: Any, check_texts: bool) -> LoadedItem:
    try:
        if check_texts:
            strict_json.check_text(item)
        return _load(index, item)
    except errors.Failure as failure:
        return LoadedItem(index, "", "", {}, failure)


def _load(index: int, item: Any) -> LoadedItem:
    if not isinstance(item, dict):
        raise errors.InvalidInput({"item": ["Must be an object."]})
    kind = item.get("type")
    if not isinstance(kind, str) or kind not in _SCHEMAS:
        raise errors.InvalidInput({"type": ["Must be create, update or event."]})
    uid = load_uid(item.get("id"))
    return LoadedItem(index, kind, uid, load_fields(kind, {name: item[name] for name in item if name != "id"}))


def load_uid(value: Any) -> str:
    """Return the uid of an item. Raises errors.InvalidInput."""
    if value.__class__ is str and uids.is_plain(value):
        return str(value)
    with messages.as_failure("id"):
        return str(_UID.deserialize(value))


def load_fields(kind: str, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a route as its schema loads them. Raises errors.InvalidInput."""
    loaded = (quick.event if kind == "event" else quick.user)(fields)
    if loaded is not None:
        return loaded
    with messages.as_failure():
        return dict(_SCHEMAS[kind].load(fields))
