"""Calls that have a statement in common, done by one.

16 events cost Postgres 80 us each in a pipeline of 16 statements and the worker 40, and 40 and 10 in one statement.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from app.models.database import Call, Statement, db

Rows = list[tuple[Any, ...]]


class Share(NamedTuple):
    """The part that a call has in a statement for many of them.

    statement: takes `fixed` and then an array for each of the `values`; the second value of a row that it answers is
    the key, of which there is one row at most. once: whether it may be given a key only once.
    """

    statement: Statement
    fixed: tuple[Any, ...]
    key: str
    values: tuple[Any, ...]
    once: bool = False


class Merged(NamedTuple):
    """The calls to run. places: for each that was wanted which call answers it, and under which key."""

    calls: list[Call]
    places: list[tuple[int, str | None]]

    def deal(self, rows: Sequence[Rows]) -> list[Rows]:
        """Return the rows of each that was wanted, of the rows of the calls."""
        shared = {at for at, key in self.places if key is not None}
        found: dict[int, dict[str, Rows]] = {at: {row[1]: [row] for row in rows[at]} for at in shared}
        return [rows[at] if key is None else found[at].get(key, []) for at, key in self.places]


def merge(wanted: Sequence[Call | Share]) -> Merged:
    """Return what does all that is wanted, in that order, but for shares: they come with the first of their statement.

    Where a statement takes a key once, the second with that key is in a statement after it.
    """
    calls: list[Call] = []
    groups: dict[tuple[Statement, tuple[Any, ...], int], tuple[int, list[Share]]] = {}
    seen: dict[tuple[Statement, str], int] = {}
    places: list[tuple[int, str | None]] = []
    for one in wanted:
        if isinstance(one, Call):
            places.append((len(calls), None))
            calls.append(one)
            continue
        turn = 0
        if one.once:
            turn = seen[one.statement, one.key] = seen.get((one.statement, one.key), -1) + 1
        at, group = groups.setdefault((one.statement, one.fixed, turn), (len(calls), []))
        if not group:
            calls.append(Call(one.statement, one.fixed))
        group.append(one)
        places.append((at, one.key))
    for at, group in groups.values():
        arrays = [db.array(column) for column in zip(*[one.values for one in group], strict=True)]
        calls[at] = Call(calls[at].statement, (*calls[at].parameters, *arrays))
    return Merged(calls, places)
