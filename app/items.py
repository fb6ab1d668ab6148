"""Items of a batch or an import: many writes, each with its own verdict."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from app import errors


class Item(NamedTuple):
    """One write: "create", "update" or "event" of the user of that uid, with the fields of that route.

    position: its place among those that were sent. "nameless" makes a user who has no uid of its own; its uid is empty.
    """

    position: int
    type: str
    uid: str
    fields: Mapping[str, Any]


class Loaded(NamedTuple):
    """The items that are well formed, in order, and what is wrong with the others, by their positions."""

    items: list[Item]
    refused: dict[int, errors.Failure]
