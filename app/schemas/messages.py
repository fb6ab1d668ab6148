"""marshmallow's messages as errors.InvalidInput."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow import ValidationError

from app import errors

_MAX_SHOWN = 200  # characters of a field's path in an error: a hostile name must not make a long reply


@contextlib.contextmanager
def as_failure(field: str = "") -> Iterator[None]:
    """Raise what marshmallow raises inside as errors.InvalidInput. field: what was loaded, if it is a field alone."""
    try:
        yield
    except ValidationError as error:
        found = {field: error.messages} if field else error.normalized_messages()  # type: ignore[no-untyped-call]
        raise errors.InvalidInput(flatten(found)) from None


def flatten(messages: Mapping[Any, Any], path: str = "") -> dict[str, list[str]]:
    """Return marshmallow's nested messages as {"meta.age": [...]}, at most errors.MAX_DETAILS of them."""
    found: dict[str, list[str]] = {}
    for key, value in messages.items():
        name = path if key == "_schema" and path else f"{path}.{key}" if path else str(key)
        if isinstance(value, Mapping):
            found |= flatten(value, name)
        else:
            found[name[:_MAX_SHOWN]] = [str(message) for message in value]
        if len(found) >= errors.MAX_DETAILS:
            break
    return found


def pointers(messages: Mapping[Any, Any], above: str = "") -> dict[str, list[str]]:
    """Return the same as {"/users/3/profile/fname": [...]}: JSON pointers into the body (RFC 6901)."""
    found: dict[str, list[str]] = {}
    for key, value in messages.items():
        name = above if key == "_schema" else above + errors.pointer(key)
        if isinstance(value, Mapping):
            found |= pointers(value, name)
        else:
            found[name[:_MAX_SHOWN] or "/"] = [str(message) for message in value]
        if len(found) >= errors.MAX_DETAILS:
            break
    return found
