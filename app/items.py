"""Items of a batch or an import: many writes, each with its own verdict."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, overload

from app import errors


class Item(NamedTuple):
    """One write: "create", "update" or "event" of the user of that uid, with the fields of that route.

    position: its place among those that were sent. "nameless" makes a user who has no uid of its own; its uid is empty.
    """

    position: int
    type: str
    uid: str
    fields: Mapping[str, Any]


class Alike(Sequence[Item]):
    """Items that all make or change a user and set the same fields, as columns: what is common in a batch.

    An Item is made when it is asked for, which nobody does as long as they can be done together: objects of each took a
    fifth of the time of 1,000 users. types, uids: of each item. columns: field -> what each sets. first: the position
    of the first one.
    """

    __slots__ = ("columns", "first", "types", "uids")

    def __init__(self, types: Sequence[str], uids: Sequence[str], columns: Mapping[str, Sequence[Any]], first: int = 0):
        self.types, self.uids, self.columns, self.first = types, uids, columns, first

    def __len__(self) -> int:
        return len(self.uids)

    @overload
    def __getitem__(self, place: int) -> Item: ...

    @overload
    def __getitem__(self, place: slice) -> "Alike": ...

    def __getitem__(self, place: int | slice) -> "Item | Alike":
        if isinstance(place, slice):
            columns = {name: column[place] for name, column in self.columns.items()}
            places = range(self.first, self.first + len(self))[place]
            return Alike(self.types[place], self.uids[place], columns, places.start)
        fields = {name: column[place] for name, column in self.columns.items()}
        return Item(range(self.first, self.first + len(self))[place], self.types[place], self.uids[place], fields)


class Loaded(NamedTuple):
    """The items that are well formed, in order, and what is wrong with the others, by their positions."""

    items: Sequence[Item]
    refused: dict[int, errors.Failure]
