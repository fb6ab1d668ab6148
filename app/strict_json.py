"""The only JSON reader for input: strict where Python's is lenient (engage.md sections 1 and 3).

Refused are: bytes that are not UTF-8, a byte order mark, a duplicate key, a second document, nesting deeper than
MAX_DEPTH, NaN, Infinity and numbers that overflow to them, integers beyond MAX_INTEGER, NUL and lone surrogates.
-0.0 is read as 0.0.
"""

import json
import math
import re
from typing import Any, NoReturn

import orjson

from app import errors

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
MAX_DEPTH = 8
MAX_INTEGER = 2**53 - 1  # beyond it a JavaScript client reads another number than was sent
_MAX_INTEGER_DIGITS = 17  # a sign and 16 digits hold MAX_INTEGER; longer ones need not be converted to be refused


def loads(raw: bytes, with_any_text: bool = False, max_depth: int = MAX_DEPTH) -> Any:
    """Return the value of a JSON document; with_any_text leaves it to the caller to `check_text`.

    max_depth: how many levels of objects and arrays it may have.
    Raises errors.InvalidBody when it is not strict JSON, errors.InvalidInput when a text in it has NUL or a lone
    surrogate (details name the field).
    """
    document = _load_quickly(raw, max_depth)
    if document is _IN_DOUBT:
        document = _load(raw, max_depth)
    if not with_any_text and has_escapes(raw):
        check_text(document)
    return _with_plain_zeros(document) if _MINUS_ZERO.search(raw) else document


# A number that may be -0.0: zeros alone, or an exponent so small that nothing is left of it.
_MINUS_ZERO = re.compile(rb"-(?<=[\s:,\[]-)(?:0(?:\.0*)?(?![0-9.])|[0-9.]+[eE]-)")


def _with_plain_zeros(value: Any) -> Any:
    """Return the value with 0.0 for -0.0, which jsonb knows not: both databases must keep the same number."""
    if isinstance(value, dict):
        return {key: _with_plain_zeros(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_with_plain_zeros(child) for child in value]
    return 0.0 if isinstance(value, float) and value == 0 else value


def _load_quickly(raw: bytes, max_depth: int = MAX_DEPTH) -> Any:
    """Return the document if it is surely strict, with orjson, in a fifth of the time of `_load`.

    orjson takes the same key twice, and long integers. Those are looked for before; of a key that came twice, the text
    that is written back lacks a colon: no other character comes once with each key, and is never escaped in a text.
    """
    shape = raw.translate(_SHAPE, _OTHERS if len(raw) > _LONG_BODY else b"")
    if b"\\u003" in raw or _may_have_long_integer(shape):  # the first may be a colon, escaped
        return _IN_DOUBT
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return _IN_DOUBT
    if document.__class__ not in _CONTAINERS:
        return document
    containers = shape.count(b"{") + shape.count(b"[")  # and those in texts
    if containers > max_depth and _is_deeper(document, max_depth, containers):
        return _IN_DOUBT
    return document if shape.count(b":") == orjson.dumps(document).count(b":") else _IN_DOUBT


_IN_DOUBT = object()
_CONTAINERS: frozenset[type] = frozenset((dict, list))
# The shape of a document: its digits as zeros, its white space as commas. A long one is without what most of its texts
# are of; the letters of hexadecimal ids stay, which would have their digits next to each other.
_SHAPE = bytes.maketrans(b"0123456789 \t\n\r", b"0000000000,,,,")
_OTHERS = b"ghijklmnopqrstuvwxyz"


def _may_have_long_integer(shape: bytes) -> bool:
    """Return True if a number in a document of that shape may be as long as MAX_INTEGER.

    Without a regular expression, which takes ten times as long.
    """
    if _LONG not in shape:
        return False
    shape = b"," + shape.translate(_SEPARATED)
    return b"," + _LONG in shape or b",-" + _LONG in shape


_LONG_BODY = 4_096  # bytes; of less it takes longer to leave something out
_LONG = b"0" * len(str(MAX_INTEGER))
_SEPARATED = bytes.maketrans(b":[", b",,")  # a number begins behind them, as behind white space and commas


def _load(raw: bytes, max_depth: int = MAX_DEPTH) -> Any:
    try:
        text = raw.decode("utf-8")
        document = _DECODER.decode(text)
    except UnicodeDecodeError:
        raise errors.InvalidBody("The body must be JSON in UTF-8.") from None
    except RecursionError:
        raise _too_deep(max_depth) from None
    except json.JSONDecodeError as error:
        raise errors.InvalidBody(f"The body is not JSON: {error.msg} at character {error.pos}.") from None
    if _is_deeper(document, max_depth):
        raise _too_deep(max_depth)
    return document


def loads_foreign(raw: bytes) -> Any:
    """Return the value of a JSON document that others made, and not for us: of any depth, with any numbers and texts.

    Numbers that overflow are infinite. Raises errors.InvalidBody when it is no JSON in UTF-8, has a key twice in one
    object or NaN, or is more than Python can read.
    """
    try:
        return _FOREIGN.decode(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        raise errors.InvalidBody("The document is not JSON.") from None


def has_escapes(raw: bytes) -> bool:
    """Return True if NUL or a lone surrogate may be in a document that was read.

    Raw control characters are no JSON and raw surrogates no UTF-8: only an escape brings them in.
    """
    return b"\\" in raw and _ESCAPES.search(raw) is not None


_ESCAPES = re.compile(rb"\\u(?:0000|[Dd][89A-Fa-f])")


def _too_deep(levels: int) -> errors.InvalidBody:
    return errors.InvalidBody(f"The body is nested deeper than {levels} levels.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise errors.InvalidBody("The body has the same key twice in one object.")
    return found


def _integer(digits: str) -> int:
    number = int(digits) if len(digits) <= _MAX_INTEGER_DIGITS else MAX_INTEGER + 1
    if abs(number) > MAX_INTEGER:
        raise errors.InvalidBody("The body has an integer beyond 2^53-1.")
    return number


def _float(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise errors.InvalidBody("The body has a number that is too large.")
    return number


def _constant(name: str) -> NoReturn:
    raise errors.InvalidBody(f"The body has {name}, which is no JSON.")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant)
_FOREIGN = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)


def _children(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def _is_deeper(value: Any, levels: int, containers: float = math.inf) -> bool:
    """Return True if the value has containers in each other on more levels than that.

    containers: how many it has at most: where those not seen yet are too few to go so deep, nothing is looked at.
    """
    level: list[Any] = [value] if value.__class__ in _CONTAINERS else []
    for left in range(levels, 0, -1):
        containers -= len(level)
        if not level or containers < left:
            return False
        level = [
            child
            for one in level
            for child in (one.values() if one.__class__ is dict else one)
            if child.__class__ in _CONTAINERS
        ]
    return bool(level)


def check_text(value: Any, path: str = "") -> None:
    """Raise errors.InvalidInput, naming the field, when a text in the value has NUL or a lone surrogate."""
    if isinstance(value, str):
        if not is_storable(value):
            raise errors.InvalidInput({path or "body": ["Must not contain NUL or a lone surrogate."]})
    elif isinstance(value, dict):
        for key, child in value.items():
            name = key if is_storable(key) else ascii(key)
            check_text(key, f"{path}.{name}" if path else name)
            check_text(child, f"{path}.{name}" if path else name)
    else:
        for index, child in enumerate(_children(value)):
            check_text(child, f"{path}.{index}" if path else str(index))


def is_storable(text: str) -> bool:
    """Return True if both databases can keep the text: no NUL, no lone surrogate."""
    return _UNSTORABLE.search(text) is None
