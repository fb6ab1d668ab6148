"""The one reader of JSON from outside: strict where Python's is lenient (engage.md section 1 and 3).

Refused are: bytes that are not UTF-8, a byte order mark, a duplicate key, a second document, nesting deeper than
MAX_DEPTH, NaN, Infinity and numbers that overflow to them, integers beyond MAX_INTEGER, NUL and lone surrogates.
"""

import json
import math
import re
from typing import Any, NoReturn

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
    try:
        text = raw.decode("utf-8")
        document = _DECODER.decode(text)
    except UnicodeDecodeError:
        raise errors.InvalidBody("The body must be JSON in UTF-8.") from None
    except RecursionError:
        raise _too_deep(max_depth) from None
    except json.JSONDecodeError as error:
        raise errors.InvalidBody(f"The body is not JSON: {error.msg} at character {error.pos}.") from None
    if text.count("[") + text.count("{") > max_depth and _is_deeper(document, max_depth):
        raise _too_deep(max_depth)
    if not with_any_text and has_escapes(raw):
        check_text(document)
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
    """Tell whether NUL or a lone surrogate may be in a document that was read.

    Raw control characters are no JSON and raw surrogates no UTF-8: only an escape brings them in.
    """
    return b"\\u" in raw


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


def _is_deeper(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    return levels == 0 or any(_is_deeper(child, levels - 1) for child in _children(value))


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
    """Tell whether both databases can keep the text: no NUL, no lone surrogate."""
    return _UNSTORABLE.search(text) is None
