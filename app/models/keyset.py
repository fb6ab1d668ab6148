"""Pages by key: a range of the primary key, which costs the same at the millionth row as at the first."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

from app.models.database import Statement
from app.models.dialects import Dialect

Filters = Mapping[str, tuple[Any, ...]]


class Keyset:
    """The pages of a table, in the order of its ids.

    conditions: name of a filter to its SQL, with `{row}` for the row and `?` for each of its values. One named
    "workspace" is part of every page. key: the column that holds the id.
    """

    def __init__(self, table: str, columns: Callable[[Dialect], str], conditions: Mapping[str, str], key: str = "id"):
        self.table, self.columns, self.conditions, self.key = table, columns, conditions, key
        self._statement = functools.cache(self._build)

    def __call__(
        self, count: int, filters: Filters, cursor: str | None = None, descending: bool = False
    ) -> tuple[list[tuple[Any, ...]], bool]:
        """Return up to `count` rows beyond the cursor, nearest first, and whether there is a row on its other side.

        cursor: an id, which need not exist any more. descending: whether beyond means smaller ids.
        """
        scope = [value for values in filters.values() for value in values]
        run = self._statement(tuple(filters), cursor is not None, descending)
        rows = run(*scope, count) if cursor is None else run(*scope, cursor, *scope, cursor, count)
        return [values[1:] for values in rows], bool(rows and rows[0][0])

    def _build(self, filters: tuple[str, ...], bounded: bool, descending: bool) -> Statement:
        beyond, behind = ("<", ">=") if descending else (">", "<=")

        def scope(row: str) -> str:
            return " AND ".join(self.conditions[name].replace("{row}", row) for name in filters)

        def build(d: Dialect) -> str:
            other_side = (
                f"EXISTS (SELECT 1 FROM {self.table} AS behind "
                f"WHERE {scope('behind')} AND behind.{self.key} {behind} ?)"
            )
            text = (
                f"SELECT {other_side if bounded else 'FALSE'}, {self.columns(d)} FROM {self.table} "
                f"WHERE {scope(self.table)}"
                + (f" AND {self.table}.{self.key} {beyond} ?" if bounded else "")
                + f" ORDER BY {self.table}.{self.key}{' DESC' if descending else ''} LIMIT ?"
            )
            return text.replace("?", d.parameter)

        return Statement(build)
