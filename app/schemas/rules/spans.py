"""The ends of `between`, in order."""

from collections.abc import Callable, Sequence
from typing import Any

from app.domain import dates, rules

REVERSED = 'Must have its least end first; {"days_ago": 7} comes before {"days_ago": 0}.'


def is_reversed(ends: Sequence[Any], kind: str, spelling: Callable[[str], str] = str) -> bool:
    """Return True if nothing lies between two valid ends, as the second comes before the first.

    kind: of the attribute. spelling: what all spellings of a text share. A date beside so many days ago is never
    reversed: which of them is the earlier changes as time goes by.
    """
    least, greatest = ends
    if isinstance(least, dict) or isinstance(greatest, dict):
        return isinstance(least, dict) and isinstance(greatest, dict) and least["days_ago"] < greatest["days_ago"]
    if kind == rules.DATE:
        return dates.parse(least) > dates.parse(greatest)
    if not isinstance(least, str):
        return bool(least > greatest)
    first, last = (dates.span(one) if kind == rules.ANY else None for one in ends)
    if first and last:
        return first[0] > last[1]
    return spelling(least) > spelling(greatest)  # by code points, which is by bytes in UTF-8
