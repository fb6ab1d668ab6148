"""The field rules of engage.md section 3, one class each. What they refuse is told in a sentence fit for the caller."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import ValidationError, fields, validate

from app.domain import cursors, dates, ids, uids
from app.strict_json import MAX_INTEGER, is_storable

MAX_NAME = 255
MAX_EMAIL = 254  # RFC 5321 section 4.5.3.1.3, less the angle brackets
MAX_LOCAL_PART = 64  # RFC 5321 section 4.5.3.1.1
MAX_TOKEN = 4096
MAX_META_KEYS = 300
MAX_META_KEY = 128
MAX_META_VALUE = 4096  # bytes in UTF-8
MAX_PROPERTIES = 100
MAX_ERRORS = 20

_NUMBER_PATTERN = r"^\+?[ ().-]*([0-9][ ().-]*){5,20}$"
_NUMBER = re.compile(_NUMBER_PATTERN[:-1], re.ASCII)
_MAX_NUMBER = 64  # characters, punctuation included
_TZ = re.compile(r"(?!/)[A-Za-z0-9_+\-/:]{1,64}")


class Rule(fields.Field[Any]):
    """A field whose rule is told in the OpenAPI document: `schema` holds its JSON Schema keywords."""

    schema: ClassVar[dict[str, Any]] = {}

    def __init__(self, **kwargs: Any):
        metadata = {**self.schema, **kwargs.pop("metadata", {})}
        if kwargs.get("allow_none") and "anyOf" in metadata:  # apispec adds null to a type, not to a choice of types
            metadata["anyOf"] = [*metadata["anyOf"], {"type": "null"}]
        super().__init__(metadata=metadata, **kwargs)


class Text(fields.String):
    """A string that both databases keep: no NUL, no lone surrogate."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if text is None or not is_storable(text):
            raise ValidationError("Must not contain NUL or a lone surrogate.")
        return text


class Uid(Rule):
    """A uid: a string, or an integer, which is taken as its digits."""

    schema: ClassVar[dict[str, Any]] = {
        "anyOf": [
            {"type": "string", "pattern": uids.PATTERN},
            {"type": "integer", "minimum": -MAX_INTEGER, "maximum": MAX_INTEGER},
        ]
    }
    is_valid = staticmethod(uids.is_valid)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text = digits_of(value)
        if not isinstance(text, str) or not self.is_valid(text):
            raise ValidationError(uids.RULE)
        return text


class StoredUid(Uid):
    """The uid of a user who is read or goes: also one that only an earlier rule let in."""

    is_valid = staticmethod(uids.may_be_stored)


def digits_of(value: Any) -> Any:
    """Return an integer as text, also when it is written 5.0 as JSON may; anything else as it is."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= MAX_INTEGER:
        value = int(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class Email(Text):
    """An e-mail address by its syntax, ASCII only; returned as sent."""

    def __init__(self, **kwargs: Any):
        metadata = {"format": "email", **kwargs.pop("metadata", {})}
        super().__init__(validate=validate.Length(max=MAX_EMAIL), metadata=metadata, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        local, _, domain = text.rpartition("@")
        # The length is looked at before the regular expression is: long hostile input costs nothing then.
        if (
            len(text) > MAX_EMAIL
            or len(local) > MAX_LOCAL_PART
            or not text.isascii()
            or '"' in local
            or domain.startswith("[")
        ):
            raise ValidationError("Must be a valid email address.")
        return str(_EMAIL(text))


_EMAIL = validate.Email(error="Must be a valid email address.")


class PhoneNumber(Rule):
    """A phone number as sent; a JSON integer becomes a string."""

    schema: ClassVar[dict[str, Any]] = {
        "anyOf": [
            {"type": "string", "pattern": _NUMBER_PATTERN, "maxLength": _MAX_NUMBER},
            {"type": "integer", "minimum": 10_000, "maximum": MAX_INTEGER},
        ]
    }

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text = digits_of(value)
        if not isinstance(text, str) or (text is not value and text.startswith("-")) or not is_number(text):
            raise ValidationError(
                "Must be an optional + and 5 to 20 digits; spaces, dots, dashes and parentheses may stand between."
            )
        return text


def is_number(text: str) -> bool:
    """Tell whether the text is a phone number."""
    return len(text) <= _MAX_NUMBER and _NUMBER.fullmatch(text) is not None


class Date(Rule):
    """A date, loaded as epoch milliseconds (UTC), dumped as ISO 8601."""

    schema: ClassVar[dict[str, Any]] = {
        "anyOf": [
            {"type": "string", "format": "date-time"},
            {"type": "string", "format": "date"},
            {"type": "number", "minimum": dates.FIRST, "maximum": dates.LAST},
        ]
    }

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> int:
        try:
            return dates.parse(value)
        except ValueError as error:
            raise ValidationError(str(error)) from None

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else dates.render(value)


class QueryDate(Date):
    """A date in a query, where a number is text like everything else."""

    schema: ClassVar[dict[str, Any]] = {
        "anyOf": [*Date.schema["anyOf"][:2], {"type": "integer", "minimum": dates.FIRST, "maximum": dates.LAST}]
    }

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> int:
        is_number = isinstance(value, str) and re.fullmatch("-?[0-9]{1,15}", value)
        return super()._deserialize(int(value) if is_number else value, attr, data, **kwargs)


class ShownDate(Date):
    """A date as we answer it."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "format": "date-time"}


class Flag(Rule):
    """true or false, and nothing that merely looks like it."""

    schema: ClassVar[dict[str, Any]] = {"type": "boolean"}

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("Must be true or false.")
        return value


class Scalar(Rule):
    """A string, number or boolean."""

    schema: ClassVar[dict[str, Any]] = {"type": ["string", "number", "boolean"]}

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, str | int | float):
            raise ValidationError("Must be a string, number or boolean.")
        return value


class Flat(Rule):
    """An object whose values are strings, numbers or booleans. An empty array is an empty object: PHP sends it so.

    nullable: whether a value may be null too. max_keys; max_key (characters, at least one), max_value (bytes of a
    string in UTF-8): None is no limit.
    """

    def __init__(
        self,
        max_keys: int,
        max_key: int | None = None,
        max_value: int | None = None,
        nullable: bool = False,
        **kwargs: Any,
    ):
        item: dict[str, Any] = {"type": ["string", "number", "boolean", *(["null"] if nullable else [])]}
        self.nullable = nullable
        if max_value:
            item["maxLength"] = max_value
        schema = {"type": "object", "maxProperties": max_keys, "additionalProperties": item}
        super().__init__(**{**kwargs, "metadata": {**schema, **kwargs.get("metadata", {})}})
        self.max_keys, self.max_key, self.max_value = max_keys, max_key, max_value
        self.names = {"propertyNames": {"minLength": 1, "maxLength": max_key}} if max_key else {}

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> dict[str, Any]:
        if value == []:
            return {}
        if not isinstance(value, dict):
            raise ValidationError("Must be an object.")
        if len(value) > self.max_keys:
            raise ValidationError(f"Must have at most {self.max_keys} keys.")
        wrong: dict[str, list[str]] = {}
        for key, item in value.items():
            if message := self._fault(key, item):
                wrong[key[: self.max_key]] = [message]
                if len(wrong) == MAX_ERRORS:
                    break
        if wrong:
            raise ValidationError(wrong)
        return value

    def _fault(self, key: str, item: Any) -> str | None:
        if self.max_key and not 1 <= len(key) <= self.max_key:
            return f"Must have a name of 1 to {self.max_key} characters."
        if item is None and self.nullable:
            return None
        if not isinstance(item, str | int | float):  # a bool is an int
            return "Must be a string, number or boolean."
        if self.max_value and isinstance(item, str) and len(item.encode()) > self.max_value:
            return f"Must be at most {self.max_value} bytes long."
        return None


class TimeZone(Text):
    """The name of a time zone; only its letters are checked."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not _TZ.fullmatch(text):
            raise ValidationError("Must be 1 to 64 letters, digits or _ + - / : and not start with a slash.")
        return text


class Limit(Rule):
    """How many rows a page has at most: plain digits from 1 to `max`."""

    def __init__(self, max: int, **kwargs: Any):
        schema = {"type": "integer", "minimum": 1, "maximum": max}
        super().__init__(**{**kwargs, "metadata": {**schema, **kwargs.get("metadata", {})}})
        self.max = max

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> int:
        if not re.fullmatch("[0-9]{1,9}", str(value)) or not 1 <= int(value) <= self.max:
            raise ValidationError(f"Must be a number from 1 to {self.max}.")
        return int(value)


class Cursor(Rule):
    """The id of a row, as a cursor."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "pattern": ids.PATTERN}
    is_valid = staticmethod(ids.is_id)
    rule = "Must be a cursor from an earlier reply."

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        if not isinstance(value, str) or not self.is_valid(value):
            raise ValidationError(self.rule)
        return value


class Id(Cursor):
    """The id of something of ours. of: what it is, as a sentence says it."""

    def __init__(self, of: str, **kwargs: Any):
        super().__init__(**kwargs)
        self.rule = f"Must be the id of a {of}."


class EventCursor(Cursor):
    """The position of an event, as a cursor."""

    schema: ClassVar[dict[str, Any]] = {"type": "string", "pattern": cursors.EVENT_PATTERN}
    is_valid = staticmethod(cursors.is_event_cursor)
