"""Writes of a batch or an import, each with its own result."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, overload

from app import errors


class Place(NamedTuple):
    """What a body asks for on a list; status: one of app/domain/consent.py."""

    list_id: str
    status: str


class Item(NamedTuple):
    """One write: "create", "update" or "event" of the user of that uid, with the fields of that route.

    position: its place among those that were sent. "nameless" makes a user who has no uid of its own; its uid is empty.
    """

    position: int
    type: str
    uid: str
    fields: Mapping[str, Any]

    @property
    def is_plain(self) -> bool:
        """Whether one statement does it, together with other items: it cannot fail in the middle."""
        return self.type == "event" or (self.type != "nameless" and not needs_several_statements(self.fields))


# Fields that are kept beside the user, or that say which user is meant.
_BESIDE = frozenset(("lists", "accounts", "device_token", "uid", "of_id"))


def needs_several_statements(fields: Mapping[str, Any]) -> bool:
    """Return True if a write of these fields of a user takes more than the upsert."""
    return not _BESIDE.isdisjoint(fields) and any(fields.get(name) is not None for name in _BESIDE)


def are_plain(items: Sequence[Item]) -> bool:
    """Return True if each item is plain."""
    if isinstance(items, Alike):
        return True
    # Mostly none has such a field, which is told in a tenth of the time that a look at each takes.
    if "nameless" not in {item.type for item in items} and _BESIDE.isdisjoint(set().union(*[i.fields for i in items])):
        return True
    return all(item.is_plain for item in items)


class Alike(Sequence[Item]):
    """Items that all make or change a user and set the same fields, as columns: what is common in a batch.

    A bulk upsert takes the columns; an Item is made where one is asked for. types, uids: of each item. columns:
    field -> what each sets. positions: of them among those that were sent, from 0 on where nothing is said.
    """

    __slots__ = ("columns", "positions", "types", "uids")

    def __init__(
        self,
        types: Sequence[str],
        uids: Sequence[str],
        columns: Mapping[str, Sequence[Any]],
        positions: range | None = None,
    ):
        self.types, self.uids, self.columns = types, uids, columns
        self.positions = range(len(uids)) if positions is None else positions

    def __len__(self) -> int:
        return len(self.uids)

    @overload
    def __getitem__(self, place: int) -> Item: ...

    @overload
    def __getitem__(self, place: slice) -> "Alike": ...

    def __getitem__(self, place: int | slice) -> "Item | Alike":
        columns = {name: column[place] for name, column in self.columns.items()}
        if isinstance(place, slice):
            return Alike(self.types[place], self.uids[place], columns, self.positions[place])
        return Item(self.positions[place], self.types[place], self.uids[place], columns)


class Loaded(NamedTuple):
    """The items that are well formed, in order, and what is wrong with the others, by their positions."""

    items: Sequence[Item]
    refused: dict[int, errors.Failure]
