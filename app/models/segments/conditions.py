"""SQL fragments with their values, and how to combine them.

The text has `{row}` for the alias of the user and `?` for each value; whatever comes from outside is a value. An answer
that is unknown counts as no: so what may be NULL is made certain before it is negated.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from app.domain import dates

_DAY = 86_400_000  # milliseconds


class Ago(NamedTuple):
    """A moment that is so many milliseconds before the statement runs."""

    milliseconds: int


class Condition(NamedTuple):
    """SQL and its values. certain: it is never NULL."""

    sql: str
    values: tuple[Any, ...] = ()
    certain: bool = True


TRUE, FALSE = Condition("TRUE"), Condition("FALSE")


def unsure(sql: str, *values: Any) -> Condition:
    """Return a condition that may be NULL."""
    return Condition(sql, values, certain=False)


def both(conditions: Sequence[Condition]) -> Condition:
    """Return the condition that all of them hold; none at all hold."""
    return _join(" AND ", conditions) if conditions else TRUE


def either(conditions: Sequence[Condition]) -> Condition:
    """Return the condition that any of them holds; of none at all none does."""
    return _join(" OR ", conditions) if conditions else FALSE


def negate(one: Condition) -> Condition:
    """Return the condition that it does not hold."""
    return Condition(f"NOT ({one.sql})" if one.certain else f"({one.sql}) IS NOT TRUE", one.values)


def _join(word: str, conditions: Sequence[Condition]) -> Condition:
    if len(conditions) == 1:
        return conditions[0]
    values = tuple(value for one in conditions for value in one.values)
    text = word.join(one.sql for one in conditions)
    return Condition(f"({text})", values, all(one.certain for one in conditions))


def days_ago(days: float) -> Ago:
    """Return the moment so many days ago."""
    return Ago(round(days * _DAY))


def bind(values: Sequence[Any], now: int) -> tuple[Any, ...]:
    """Return the values with moments in place of what is relative. now: epoch milliseconds."""
    return tuple([_moment(one, now) if one.__class__ is Ago else one for one in values])


def _moment(ago: Ago, now: int) -> int:
    return max(dates.FIRST, min(now - ago.milliseconds, dates.LAST))
