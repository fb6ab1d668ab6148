"""Dates in JSON texts, compared as moments in SQL. app/domain/dates.py says which texts are dates.

A date alone stands for its UTC day, so a text has a first and a last millisecond; those of any other date are one.
SQLite calls app/domain/dates.py for each row (app/models/stores/sqlite.py). Postgres cannot, so the same rules stand
here once more; tests/segments/test_moments.py compares the two over valid and nearly valid texts.
"""

from typing import Any

from app.domain import dates
from app.models.dialects import Dialect
from app.models.segments.conditions import Condition, both, unsure

_BEGINNING = "[12][0-9][0-9][0-9]-[01][0-9]-*"  # of each date: SQLite calls Python for no other text
_DAY = 86_400_000  # milliseconds
# What is before or after a span of milliseconds, by its edges: (edge of the text, sign, edge of the span).
_EDGES = {"gte": ("last", ">=", 0), "gt": ("first", ">", 1), "lte": ("first", "<=", 1), "lt": ("last", "<", 0)}


def stands(d: Dialect, text: Condition, sign: str, span: tuple[Any, Any]) -> Condition:
    """Return whether the text is a date that stands so to the span; NULL, or FALSE, where it is no date.

    span: its first and last epoch millisecond. `is` holds where the two overlap, so that of `lt`, `is` and `gt` exactly
    one holds.
    """
    if sign == "is":
        return both([stands(d, text, one, span) for one in ("gte", "lte")])
    edge, comparison, index = _EDGES[sign]
    found = edge_of(d, text, edge)
    return unsure(f"{found.sql} {comparison} ?", *found.values, span[index])


def edge_of(d: Dialect, text: Condition, edge: str) -> Condition:
    """Return the epoch millisecond of an edge of the text, NULL where it is no date. edge: `first` or `last`."""
    if d.name == "sqlite":
        sql = f"CASE WHEN {text.sql} GLOB '{_BEGINNING}' THEN {edge}_millisecond({text.sql}) END"
        return unsure(sql, *text.values, *text.values)
    rest = f" + CASE WHEN length(text) = 10 THEN {_DAY - 1} ELSE 0 END" if edge == "last" else ""
    return unsure(_POSTGRES.format(text=text.sql, rest=rest), _PATTERN, *text.values)


# The calendar is in it, so no cast refuses what passes. Of 1899 and 2200 only what an offset brings into range is kept.
_LEAP_YEAR = "(?:19|2[01])(?:0[48]|[2468][048]|[13579][26])|2000"
_PATTERN = (
    "^(?:(?:1899|19[0-9]{2}|2[01][0-9]{2}|2200)-(?:"
    "(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    f"|(?:{_LEAP_YEAR})-02-29)"
    "(?:[Tt ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]{1,9})?)?"
    " ?(?:[Zz]|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?)?)?$"
)
_FRACTION = "rpad(substring(text FROM '[.,]([0-9]{{1,3}})'), 3, '0')::int"
_OFFSET = "rpad(replace(substring(text FROM '[+-][0-9:]+$'), ':', ''), 5, '0')::int"  # 530 for +05:30, -800 for -08
# CASE looks at the pattern before any cast. OFFSET 0 keeps the planner from repeating an expression where it is named.
_POSTGRES = f"""(
SELECT moment{{rest}} FROM (
    SELECT text, CASE WHEN text ~ ? THEN
        (left(text, 10)::date - DATE '1970-01-01') * {_DAY}::bigint + CASE WHEN length(text) = 10 THEN 0 ELSE
            substr(text, 12, 2)::int * 3600000 + substr(text, 15, 2)::int * 60000
            + CASE WHEN substr(text, 17, 1) = ':' THEN substr(text, 18, 2)::int * 1000 ELSE 0 END
            + CASE WHEN substr(text, 20, 1) IN ('.', ',') THEN {_FRACTION} ELSE 0 END
            - coalesce({_OFFSET} / 100 * 60 + mod({_OFFSET}, 100), 0) * 60000
        END
    END AS moment FROM (SELECT {{text}} AS text OFFSET 0) AS stored OFFSET 0
) AS found WHERE moment BETWEEN {dates.FIRST} AND {dates.LAST})"""
