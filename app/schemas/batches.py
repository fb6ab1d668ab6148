"""Batches on the wire (engage.md section 6)."""

from collections.abc import Callable, Mapping, Sequence
from itertools import compress, product
from operator import itemgetter
from typing import Any, ClassVar

from marshmallow import INCLUDE, Schema, ValidationError, fields, missing

from app import errors, strict_json
from app.domain import uids
from app.domain.writes import Alike, Item, Loaded
from app.schemas import ignored_keys, loading, messages
from app.schemas.events import EventSchema
from app.schemas.fields import Rule, Uid, digits_of
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
        unknown = INCLUDE  # to name what is ignored

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
    rejected = fields.Integer(required=True, metadata={"description": "How many were refused.", "example": 0})
    duplicate = fields.Integer(
        required=True, metadata={"description": "How many are events whose `id` was there.", "example": 0}
    )
    dropped = fields.Integer(
        required=True, metadata={"description": "How many are events of archived or erased users.", "example": 0}
    )
    errors = fields.List(
        fields.Nested(RefusedSchema), required=True, metadata={"description": "Each that was refused.", "example": []}
    )
    warnings = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "Keys that are ignored, 20 at most.", "example": []},
    )


def ignored_in_batch(body: Mapping[str, Any]) -> list[str]:
    """Return sentences about keys of a batch and its items that are ignored, the latter with the place of the item."""
    beside, items = sorted(ignored_keys.kind_of(BatchSchema).warnings(body)), body["data"]
    if _DICT.issuperset(map(type, items)) and not ignored_keys.are_ignored(items):
        return beside[: ignored_keys.MAX_WARNINGS]
    found = ignored_keys.warnings((f"data.{at}", one) for at, one in enumerate(items) if isinstance(one, dict))
    return [*beside, *found][: ignored_keys.MAX_WARNINGS]


_UID = Uid(required=True)
_SCHEMAS = {"create": CreateUserSchema(exclude=("id",)), "update": UpdateUserSchema(), "event": EventSchema()}


def load_items(items: list[Any], check_texts: bool) -> Loaded:
    """Return the items, loaded by the schemas of their types. check_texts: whether NUL or a lone surrogate may come."""
    loaded = None if check_texts else _load_together(items)
    if loaded is not None:
        return Loaded(loaded, {})

    def load(index: int, item: Any) -> Item:
        if check_texts:
            strict_json.check_text(item)
        return _load(index, item)

    return load_each(load, items)


def load_each(load: Callable[[int, Any], Item], sent: Sequence[Any]) -> Loaded:
    """Return what `load` makes of each with its index, and the failures that it raises."""
    items, refused = [], {}
    for index, one in enumerate(sent):
        try:
            items.append(load(index, one))
        except errors.Failure as failure:
            refused[index] = failure
    return Loaded(items, refused)


def _load_together(items: list[Any]) -> Sequence[Item] | None:
    """Load items that are all of the common form; None where one is not: what is wrong is found one by one."""
    if not _DICT.issuperset(map(type, items)):
        return None
    if any("uid" in item for item in items):
        return None
    try:
        kinds, named = list(map(itemgetter("type"), items)), list(map(itemgetter("id"), items))
    except KeyError:
        return None
    if not (_TEXT.issuperset(map(type, kinds)) and _SCHEMAS.keys() >= set(kinds) and uids.are_plain(named)):
        return None
    return load_together(kinds, named, items, _BESIDE)


_DICT: frozenset[type] = frozenset((dict,))
_TEXT: frozenset[type] = frozenset((str,))
_BESIDE = frozenset(("type", "id"))  # of an item, the fields of its route


def load_together(
    kinds: list[str], named: list[str], bodies: list[dict[str, Any]], beside: frozenset[str] = frozenset()
) -> Sequence[Item] | None:
    """Load the fields of items whose types and uids are right, if they are of the common form.

    beside: what all of them have besides.
    """
    columns = loading.users_alike(bodies, beside) if "event" not in kinds else None
    if columns is not None:
        return Alike(kinds, named, columns)
    if beside:
        bodies = list(map(dict.copy, bodies))
        for body, name in product(bodies, beside):
            del body[name]
    fields = loading.users(bodies) if "event" not in kinds else _load_mixed(kinds, bodies)
    return None if fields is None else list(map(Item, range(len(kinds)), kinds, named, fields))


def _load_mixed(kinds: list[str], bodies: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
    of_event = [kind == "event" for kind in kinds]
    events = loading.events(list(compress(bodies, of_event)))
    users = loading.users([body for body, is_event in zip(bodies, of_event, strict=True) if not is_event])
    if events is None or users is None:
        return None
    loaded = (iter(users), iter(events))
    return [next(loaded[is_event]) for is_event in of_event]


def _load(index: int, item: Any) -> Item:
    if not isinstance(item, dict):
        raise errors.InvalidInput({"item": ["Must be an object."]})
    kind = item.get("type")
    if not isinstance(kind, str) or kind not in _SCHEMAS:
        raise errors.InvalidInput({"type": ["Must be create, update or event."]})
    uid, beside = _named(kind, item)
    fields = load_fields(kind, {name: item[name] for name in item if name not in ("id", "uid")} | beside)
    return Item(index, kind, uid, fields | ({"of_id": beside["id"]} if beside and kind == "update" else {}))


def _named(kind: str, item: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the uid of the user meant, and an `id` that is not the uid: an event's own, or that GET shows of the user.

    Raises errors.InvalidInput where the two do not go together (engage.md section 4).
    """
    uid, id = item.get("uid"), item.get("id")
    if kind == "create":
        named = load_uid(item.get("id", missing))
        if not uids.may_be_created(named):
            raise errors.InvalidInput({"id": [uids.CREATE_RULE]})
        if uid is not None and load_uid(uid, "uid") != named:
            raise errors.InvalidInput({"uid": [uids.NOT_THE_ID]})
        return named, {}
    if uid is None:
        return load_uid(item.get("id", missing)), {}
    named = load_uid(uid, "uid")
    if id is None or digits_of(id) == named:
        return named, {}
    if kind == "update":
        load_uid(id)
    return named, {"id": id}


def load_uid(value: Any, name: str = "id") -> str:
    """Return the uid of an item. name: of the field that it stands in. Raises errors.InvalidInput."""
    if value.__class__ is str and uids.is_plain(value):
        return str(value)
    with messages.as_failure(name):
        return str(_UID.deserialize(value))


def load_fields(kind: str, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a route as its schema loads them. Raises errors.InvalidInput."""
    loaded = (loading.event if kind == "event" else loading.user)(fields)
    if loaded is not None:
        return loaded
    with messages.as_failure():
        return dict(_SCHEMAS[kind].load(fields))
