"""Internal ids: 24 hex digits that sort by creation time (engage.md section 3)."""

import re
import secrets
import threading

from app import clock

PATTERN = "^[0-9a-f]{24}$"
_ID = re.compile("[0-9a-f]{24}")
_TAIL_BITS = 48  # half of the id; the other half holds milliseconds, enough until the year 10889
_lock = threading.Lock()
_last = (0, 0)


def new() -> str:
    """Return an id greater than every id this process made before, also within one millisecond."""
    return f"{_take(1):024x}"


def several(count: int) -> list[str]:
    """Return so many ids, each greater than the one before it, as `new` would one by one."""
    first = _take(count)
    return [f"{one:024x}" for one in range(first, first + count)]


def _take(count: int) -> int:
    """Take so many numbers that follow each other; return the first."""
    global _last
    with _lock:
        milliseconds, tail = max(clock.now(), _last[0]), _last[1] + 1
        if milliseconds > _last[0] or (tail + count) >> _TAIL_BITS:
            # A random start keeps processes apart; a zero top bit leaves room to count upwards.
            milliseconds, tail = max(milliseconds, _last[0] + 1), secrets.randbits(_TAIL_BITS - 1)
        _last = (milliseconds, tail + count - 1)
    return milliseconds << _TAIL_BITS | tail


def not_before(milliseconds: int) -> None:
    """Make no id from here on that is less than those of that moment, in epoch milliseconds."""
    global _last
    with _lock:
        _last = max(_last, (milliseconds + 1, 0))


def made_at(id: str) -> int:
    """Return when an id was made, in epoch milliseconds."""
    return int(id[:12], 16)


def first_at(milliseconds: int) -> str:
    """Return the least id that could be made at this moment, in epoch milliseconds; before 1970 there were none."""
    return f"{max(milliseconds, 0):012x}{0:012x}"


def is_id(text: str) -> bool:
    """Return True if the text has the form of an id."""
    return _ID.fullmatch(text) is not None
