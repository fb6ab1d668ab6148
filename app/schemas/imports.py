"""Records of a file to import: a line of NDJSON is a user as GET shows it, or an item of a batch (docs/import.md)."""

from collections.abc import Sequence
from typing import Any

from app import errors, strict_json, uids
from app.items import Item, Loaded
from app.schemas.batches import load_each, load_fields, load_together, load_uid

_NAMES_OF_USER = ("uid", "id")  # the first one that a line has says who is meant


def load_lines(lines: Sequence[bytes | None]) -> Loaded:
    """Return the lines, loaded; those that name nobody have the type "nameless". None is a line that was too long."""
    loaded = _load_together(lines)
    return load_each(_load_line, lines) if loaded is None else Loaded(loaded, {})


def _load_together(lines: Sequence[bytes | None]) -> Sequence[Item] | None:
    """Load lines that are all of the common form, users with a plain uid; what is in doubt is looked at line by line.

    They are read as one array. Nothing of a line can become part of another: a text cannot go on behind the end of its
    line, and without arrays of its own a line that is no whole object leaves a comma where there can be none.
    """
    if not all(line and line.lstrip().startswith(b"{") and b"[" not in line for line in lines):
        return None
    try:
        items = strict_json.loads(b"[" + b",\n".join(filter(None, lines)) + b"]", max_depth=strict_json.MAX_DEPTH + 1)
    except errors.Failure:
        return None
    if len(items) != len(lines) or any("type" in item or "uid" not in item for item in items):
        return None
    named = [item.pop("uid") for item in items]
    for item in items:
        item.pop("id", None)
    if not uids.are_plain(named):
        return None
    return load_together(["update"] * len(items), named, items)


def _load_line(index: int, line: bytes | None) -> Item:
    item = _read(line)
    kind = item.get("type", "update")
    if kind not in ("create", "update", "event"):
        raise errors.InvalidInput({"type": ["Must be create, update or event, or be left out."]})
    named = [name for name in _NAMES_OF_USER if name in item]
    if not named and kind == "event":
        raise errors.InvalidInput({"uid": ["Must say whose event it is."]})
    fields = load_fields(kind, {name: value for name, value in item.items() if name not in _NAMES_OF_USER})
    return Item(index, kind if named else "nameless", load_uid(item[named[0]]) if named else "", fields)


def _read(line: bytes | None) -> dict[str, Any]:
    item = strict_json.loads(line) if line is not None else None
    if not isinstance(item, dict):
        raise errors.InvalidBody("The line is too long." if line is None else "The line must be a JSON object.")
    return item
