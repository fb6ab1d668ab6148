"""Sparse rows of a bulk upsert: each row says which fields it has.

`excluded` cannot tell a field that was set to NULL from one that was not given, nor carry an entry of meta that goes.
So what each row says travels beside the columns: on SQLite, where the statement runs once for each row, as two more
parameters; on Postgres, where one run takes all rows, as one JSON object by uid.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from app.domain import shape
from app.models.database import db
from app.models.dialects import Dialect
from app.models.users import upserts
from app.models.users.rows import MAX_META_KEYS, dump

_BITS = {field: 1 << place for place, field in enumerate(shape.WRITTEN)}


def said(
    fields: Sequence[str], rows: Sequence[tuple[str, Mapping[str, Any]]]
) -> tuple[tuple[Any, ...], list[list[Any]]]:
    """Return the parameters that the statement has before all others, and the columns that it has behind them.

    fields: all that any of the rows has. rows: uid, and fields as `bulk.Change` has them.
    """
    bits = [sum(bit for field, bit in _BITS.items() if field in own) for _, own in rows]
    meta = [own.get("meta", {}) for _, own in rows]
    if db.dialect.name == "sqlite":
        return (), [bits, [dump(one) for one in meta]] if "meta" in fields else [bits]
    removed = [[key for key, value in one.items() if value is None] for one in meta]
    by_uid = {uid: one for (uid, _), *one in zip(rows, bits, removed, strict=True)}
    return (dump(by_uid),), []


def on_conflict(d: Dialect, fields: Sequence[str], parameters: int) -> tuple[str, str]:
    """Return what stands before INSERT, and how a user who is there is changed. parameters: how many the rows have."""
    if d.name == "sqlite":
        merged = f"json_patch(users.meta, ?{parameters + 2})"
        changes, rule = _changes(fields, f"?{parameters + 1}", merged), _rule(d, fields, f"?{parameters + 1}", merged)
        set_all = ", ".join(f"{column} = {value}" for column, value in changes.items())
        return "", f"{set_all} WHERE {rule}"
    merged = "(users.meta || excluded.meta) - said.removed"
    changes, rule = _changes(fields, "said.bits", merged), _rule(d, fields, "said.bits", merged)
    return (
        "WITH changes AS (SELECT ?::jsonb AS by_uid) ",
        f"({', '.join(changes)}) = "
        f"(SELECT {', '.join(changes.values())} FROM {_SAID}) WHERE (SELECT {rule} FROM {_SAID})",
    )


# OFFSET 0 keeps it from being looked up for each column again: that took 20 % more time.
_SAID = (
    "(SELECT (by_uid -> excluded.uid -> 0)::int AS bits, "
    "ARRAY(SELECT jsonb_array_elements_text(by_uid -> excluded.uid -> 1)) AS removed FROM changes OFFSET 0) AS said"
)


def _changes(fields: Sequence[str], bits: str, merged: str) -> dict[str, str]:
    """{column: what it becomes}: as it was, where the row does not have the field."""
    return {
        column: f"CASE WHEN {bits} & {_BITS[field]} <> 0 "
        f"THEN {merged if column == 'meta' else f'excluded.{column}'} ELSE users.{column} END"
        for field in fields
        for column in upserts.columns_of((field,))
    }


def _rule(d: Dialect, fields: Sequence[str], bits: str, merged: str) -> str:
    if "meta" not in fields:
        return "TRUE"
    return f"({bits} & {_BITS['meta']} = 0 OR {d.json_key_count.format(merged)} <= {MAX_META_KEYS})"
