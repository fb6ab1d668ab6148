"""Keyset pagination: a range of the primary key, so that each page costs the same."""

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from app.models.database import Call, Statement
from app.models.dialects import Dialect


class Filter(NamedTuple):
    """A condition on the rows of a page: SQL with `{row}` for the row, and `?` for each of the values."""

    condition: str
    values: tuple[Any, ...]


def of_workspace(workspace: int) -> Filter:
    """Return the filter that every page has first."""
    return Filter("{row}.workspace_id = ?", (workspace,))


class Keyset:
    """The pages of a table, in the order of its ids. key: the column that holds the id."""

    def __init__(self, table: str, columns: Callable[[Dialect], str], key: str = "id"):
        self.table, self.columns, self.key = table, columns, key
        self._statement = functools.lru_cache(maxsize=256)(self._build)

    def __call__(
        self, count: int, filters: Sequence[Filter], cursor: str | None = None, descending: bool = False
    ) -> tuple[list[tuple[Any, ...]], bool]:
        """Return up to `count` rows beyond the cursor, nearest first, and whether there is a row on its other side.

        cursor: an id, which need not exist any more. descending: whether beyond means smaller ids.
        """
        call = self.call(count, filters, cursor, descending)
        rows = call.statement(*call.parameters)
        return [values[1:] for values in rows], bool(rows and rows[0][0])

    def call(self, count: int, filters: Sequence[Filter], cursor: str | None, descending: bool) -> Call:
        """Return the call that brings the rows, each with whether there is a row on the other side in front."""
        scope = [value for one in filters for value in one.values]
        statement = self._statement(tuple(one.condition for one in filters), cursor is not None, descending)
        return Call(statement, (*scope, count) if cursor is None else (*scope, cursor, *scope, cursor, count))

    def _build(self, conditions: tuple[str, ...], bounded: bool, descending: bool) -> Statement:
        beyond, behind = ("<", ">=") if descending else (">", "<=")

        def scope(row: str) -> str:
            return " AND ".join(condition.replace("{row}", row) for condition in conditions)

        def build(d: Dialect) -> str:
            # The nearest one, and not EXISTS: that lets Postgres read the table from its start to find any.
            other_side = (
                f"(SELECT behind.{self.key} FROM {self.table} AS behind "
                f"WHERE {scope('behind')} AND behind.{self.key} {behind} ? "
                f"ORDER BY behind.{self.key}{'' if descending else ' DESC'} LIMIT 1)"
            )
            return (
                f"SELECT {other_side if bounded else 'FALSE'}, {self.columns(d)} FROM {self.table} "
                f"WHERE {scope(self.table)}"
                + (f" AND {self.table}.{self.key} {beyond} ?" if bounded else "")
                + f" ORDER BY {self.table}.{self.key}{' DESC' if descending else ''} LIMIT ?"
            )

        return Statement(build)
