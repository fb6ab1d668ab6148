"""The field rules of engage.md section 3, one class each.

A field class says its rule for one value in `_deserialize`, and for a whole column in `load_column`, which
app/schemas/loading.py calls: it returns the loaded column, or None where a value is not surely right. A class with a
`_deserialize` of its own has a `load_column` of its own (a test sees to it).
"""

import re
from collections.abc import Mapping, Sequence
from itertools import chain
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
_MAX_BYTES = 4  # of a character in UTF-8
_TEXT: frozenset[type] = frozenset((str,))
_FLAG: frozenset[type] = frozenset((bool,))
_DICT: frozenset[type] = frozenset((dict,))
_SCALARS: frozenset[type] = frozenset((str, int, float, bool))

Column = Sequence[Any]


class ByValue:
    """A field whose columns are loaded value by value, by its schema."""

    def load_column(self, column: Column) -> Column | None:
        """Return the loaded values, the same object where they load to themselves; None where one is in doubt.

        column: values without null, of documents that strict_json has read: no text has NUL or a lone surrogate.
        """
        return None


class Rule(ByValue, fields.Field[Any]):
    """A field whose rule is told in the OpenAPI document: `schema` holds its JSON Schema keywords."""

    schema: ClassVar[dict[str, Any]] = {}

    def __init__(self, **kwargs: Any):
        metadata = {**self.schema, **kwargs.pop("metadata", {})}
        if kwargs.get("allow_none") and "anyOf" in metadata:  # apispec adds null to a type, not to a choice of types
            metadata["anyOf"] = [*metadata["anyOf"], {"type": "null"}]
        super().__init__(metadata=metadata, **kwargs)


class Text(ByValue, fields.String):
    """A string that both databases keep: no NUL, no lone surrogate."""

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        # How long a text may be: told from the validators, None where they say more than that.
        lengths = [one for one in self.validators if isinstance(one, validate.Length) and one.equal is None and one.max]
        self._lengths = (
            (lengths[0].min or 0, lengths[0].max or 0) if len(lengths) == len(self.validators) == 1 else None
        )

    def load_column(self, column: Column) -> Column | None:
        """Return the column if all are texts of the length that the validators want."""
        if self._lengths is None or not _TEXT.issuperset(map(type, column)):
            return None
        shortest, longest = self._lengths
        if len(column) == 1:
            return column if shortest <= len(column[0]) <= longest else None
        is_short = shortest and column and min(map(len, column)) < shortest
        return None if is_short or max(map(len, column), default=0) > longest else column

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

    def load_column(self, column: Column) -> Column | None:
        """Return the column if all are e-mail addresses of the usual form."""
        are_texts = super().load_column(column) is not None
        return column if are_texts and all(map(_USUAL_EMAIL.fullmatch, column)) else None


_EMAIL = validate.Email(error="Must be a valid email address.")
_USUAL_EMAIL = re.compile(
    r"(?=[^@]{1,64}@)[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@(?:[A-Za-z0-9]{1,60}\.)+[A-Za-z]{2,6}", re.ASCII
)


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

    def load_column(self, column: Column) -> Column | None:
        """Return the column if all are texts that are phone numbers."""
        if not _TEXT.issuperset(map(type, column)):
            return None
        return column if all(map(_USUAL_NUMBER.fullmatch, column)) or all(map(is_number, column)) else None


_USUAL_NUMBER = re.compile(r"\+?[0-9]{5,20}", re.ASCII)


def is_number(text: str) -> bool:
    """Return True if the text is a phone number."""
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

    def load_column(self, column: Column) -> Column | None:
        """Return the dates as epoch milliseconds."""
        try:
            return list(map(dates.parse, column))
        except ValueError:
            return None

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

    load_column = ByValue.load_column


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

    def load_column(self, column: Column) -> Column | None:
        """Return the column if all are true or false."""
        return column if _FLAG.issuperset(map(type, column)) else None


class Scalar(Rule):
    """A string, number or boolean."""

    schema: ClassVar[dict[str, Any]] = {"type": ["string", "number", "boolean"]}

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, str | int | float):
            raise ValidationError("Must be a string, number or boolean.")
        return value

    def load_column(self, column: Column) -> Column | None:
        """Return the column if all are scalars."""
        return column if _SCALARS.issuperset(map(type, column)) else None


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
        self._max_key, self._max_value = max_key or 0, max_value or 0
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

    def load_column(self, column: Column) -> Column | None:
        """Return the column if all are objects within the limits, without null."""
        if not _DICT.issuperset(map(type, column)) or max(map(len, column), default=0) > self.max_keys:
            return None
        keys = set().union(*column)
        if keys and ("" in keys or max(map(len, keys)) > self._max_key):
            return None
        values = chain.from_iterable(map(dict.values, column))
        if self.max_value is None:
            return column if _SCALARS.issuperset(map(type, values)) else None
        kept = list(values)
        return column if _SCALARS.issuperset(map(type, kept)) and self._are_short(kept) else None

    def _are_short(self, values: Column) -> bool:
        longest = max([len(one) for one in values if one.__class__ is str], default=0)
        return longest * _MAX_BYTES <= self._max_value

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

    def load_column(self, column: Column) -> Column | None:
        """Return the column if all look like names of time zones."""
        return column if _TEXT.issuperset(map(type, column)) and all(map(_TZ.fullmatch, column)) else None


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
