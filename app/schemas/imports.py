"""Records of a file to import: a line of NDJSON is a user as GET shows it, or an item of a batch (docs/import.md)."""

from collections.abc import Iterator, Sequence
from typing import Any

from app import errors, strict_json
from app.schemas.batches import LoadedItem, load_fields, load_uid

_NAMES_OF_USER = ("uid", "id")  # the first one that a line has says who is meant


def load_lines(lines: Sequence[bytes | None]) -> Iterator[LoadedItem]:
    """Yield each line, loaded; those that name nobody have the type "nameless". None is a line that was too long."""
    for index, line in enumerate(lines):
        try:
            yield _load_line(index, line)
        except errors.Failure as failure:
            yield LoadedItem(index, "", "", {}, failure)


def _load_line(index: int, line: bytes | None) -> LoadedItem:
    item = _read(line)
    kind = item.get("type", "update")
    if kind not in ("create", "update", "event"):
        raise errors.InvalidInput({"type": ["Must be create, update or event, or be left out."]})
    named = [name for name in _NAMES_OF_USER if name in item]
    if not named and kind == "event":
        raise errors.InvalidInput({"uid": ["Must say whose event it is."]})
    fields = load_fields(kind, {name: value for name, value in item.items() if name not in _NAMES_OF_USER})
    return LoadedItem(index, kind if named else "nameless", load_uid(item[named[0]]) if named else "", fields)


def _read(line: bytes | None) -> dict[str, Any]:
    item = strict_json.loads(line) if line is not None else None
    if not isinstance(item, dict):
        raise errors.InvalidBody("The line is too long." if line is None else "The line must be a JSON object.")
    return item
