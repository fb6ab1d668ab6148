"""Records of an import: a line of NDJSON is a user as GET shows it, or an item of a batch (docs/import.md)."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from app import errors, strict_json
from app.domain import uids
from app.domain.writes import Item, Loaded
from app.schemas import ignored_keys
from app.schemas.batches import load_each, load_fields, load_together, load_uid
from app.schemas.fields import digits_of

_NAMES_OF_USER = ("uid", "id")  # the first one that a line has says who is meant
_NAMES_OF_NOBODY = ("email", "number")  # one of them is known of a person without a uid


def load_lines(lines: Sequence[bytes | None], list_ids: Sequence[str] = ()) -> Loaded:
    """Return the lines, loaded; those without a uid have the type "nameless". None is a line that was too long.

    list_ids: the lists that all users of the lines are put on, but for those of which a line itself says something.
    """
    loaded = None if list_ids else _load_together(lines)
    return load_each(partial(_load_line, list_ids=list_ids), lines) if loaded is None else Loaded(loaded, {})


def ignored(lines: Iterable[tuple[int, bytes | None]]) -> list[str]:
    """Return sentences about keys of these lines that nothing is done with. lines: with their numbers."""
    return ignored_keys.warnings(_objects(lines))


def _objects(lines: Iterable[tuple[int, bytes | None]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, line in lines:
        with contextlib.suppress(errors.Failure):  # it is refused when its turn comes
            yield f"line {number}", _read(line)


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


def _load_line(index: int, line: bytes | None, list_ids: Sequence[str] = ()) -> Item:
    item = _read(line)
    kind = item.get("type", "update")
    if kind not in ("create", "update", "event"):
        raise errors.InvalidInput({"type": ["Must be create, update or event, or be left out."]})
    # A null uid or id counts as left out, but a create must name its user.
    named = [name for name in _NAMES_OF_USER if name in item and (item[name] is not None or kind == "create")]
    uid = load_uid(item[named[0]], named[0]) if named else ""
    fields = {name: value for name, value in item.items() if name not in _NAMES_OF_USER}
    if kind == "event":
        return _load_event(index, uid, fields, item.get("id") if len(named) > 1 else None)
    if not named and not any(fields.get(name) for name in _NAMES_OF_NOBODY):
        raise errors.InvalidInput(
            {"uid": ["Must be there, or an email or a number: else each import makes somebody new."]}
        )
    if list_ids:
        fields["lists"] = _with_lists(fields.get("lists", []), list_ids)
    return Item(index, kind if named else "nameless", uid, load_fields(kind, fields))


def _with_lists(sent: Any, list_ids: Sequence[str]) -> Any:
    if not isinstance(sent, list):
        return sent  # refused with the other fields
    said = [one.get("id") if isinstance(one, dict) else one for one in sent]
    return [*sent, *(id for id in list_ids if id not in said)]


def _load_event(index: int, uid: str, fields: dict[str, Any], id: Any) -> Item:
    """Load an event. id: what stands beside the uid, its own name, unless it is the uid again (engage.md section 4)."""
    if not uid:
        raise errors.InvalidInput({"uid": ["Must say whose event it is."]})
    named = {} if id is None or digits_of(id) == uid else {"id": id}
    return Item(index, "event", uid, load_fields("event", {**fields, **named}))


def _read(line: bytes | None) -> dict[str, Any]:
    item = strict_json.loads(line) if line is not None else None
    if not isinstance(item, dict):
        raise errors.InvalidBody("The line is too long." if line is None else "The line must be a JSON object.")
    return item
