"""Dates: parse what callers send, keep epoch milliseconds, render ISO 8601 (engage.md section 3)."""

import functools
import re
from datetime import UTC, date, datetime, timedelta

_EPOCH = date(1970, 1, 1).toordinal()
_DAY_MS = 86_400_000
_MINUTE_MS = 60_000
FIRST = (date(1900, 1, 1).toordinal() - _EPOCH) * _DAY_MS
LAST = (date(2200, 1, 1).toordinal() - _EPOCH) * _DAY_MS - 1
# A number below this counts seconds, from here on milliseconds: as seconds it would lie beyond the year 5138,
# as milliseconds it is March 1973.
_FIRST_MILLISECONDS = 100_000_000_000
_MAX_LENGTH = 64  # bounds the regex; the longest valid form has 35 characters
_DATE_LENGTH = 10  # characters of `2026-01-31`: no other form is as short

_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?"
    r" ?(?:([Zz])|([+-])(\d\d)(?::?(\d\d))?)?)?",
    re.ASCII,
)


def parse(value: object) -> int:
    """Return the epoch milliseconds (UTC) of a date.

    value: ISO 8601 text with or without time, zone and colon in the offset, down to nanoseconds (cut, not rounded),
    no zone meaning UTC; or epoch seconds or milliseconds as a number.
    Raises ValueError, with a sentence fit for the caller, when it is neither or lies outside 1900 to 2199 in UTC.
    """
    if isinstance(value, str):
        milliseconds = _from_text(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        milliseconds = _from_number(value)
    else:
        raise ValueError("Must be a date.")
    if not FIRST <= milliseconds <= LAST:
        raise ValueError("Must lie between the years 1900 and 2199 in UTC.")
    return milliseconds


def span(text: str) -> tuple[int, int] | None:
    """Return the first and the last epoch millisecond (UTC) of a date in a text, None where `parse` refuses it.

    A date alone stands for its day in UTC, any other for one moment.
    """
    try:
        first = parse(text)
    except ValueError:
        return None
    return first, first + _DAY_MS - 1 if len(text) == _DATE_LENGTH else first


def render(milliseconds: int) -> str:
    """Return epoch milliseconds as `2021-01-12T05:24:39.062+00:00`."""
    minutes, rest = divmod(milliseconds, _MINUTE_MS)
    return f"{_render_minute(minutes)}:{rest // 1000:02d}.{rest % 1000:03d}+00:00"


@functools.lru_cache(maxsize=1024)  # a page shows the same few again and again: a third of its time without this
def _render_minute(minutes: int) -> str:
    days, minutes = divmod(minutes, 24 * 60)
    return f"{date.fromordinal(days + _EPOCH)}T{minutes // 60:02d}:{minutes % 60:02d}"


def render_zulu(milliseconds: int) -> str:
    """Return epoch milliseconds as `2011-10-05T14:48:00.000Z`, the form that lists use."""
    return render(milliseconds)[:-6] + "Z"


def _from_number(value: int | float) -> int:
    try:
        return int(value) if abs(value) >= _FIRST_MILLISECONDS else int(value * 1000 // 1)
    except (OverflowError, ValueError):
        raise ValueError("Must be a date.") from None


def _from_text(text: str) -> int:
    found = _ISO.fullmatch(text) if len(text) <= _MAX_LENGTH else None
    if not found:
        raise ValueError("Must be an ISO 8601 date or epoch seconds or milliseconds.")
    year, month, day, hour, minute, second, fraction, _, sign, offset_hours, offset_minutes = found.groups()
    try:
        moment = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=UTC
        )
    except ValueError:
        raise ValueError("Must be a date that exists.") from None
    milliseconds = (moment.toordinal() - _EPOCH) * _DAY_MS + (
        moment.hour * 3600 + moment.minute * 60 + moment.second
    ) * 1000
    return milliseconds + int((fraction or "0").ljust(3, "0")[:3]) - _offset(sign, offset_hours, offset_minutes)


def _offset(sign: str | None, hours: str | None, minutes: str | None) -> int:
    if int(hours or 0) > 23 or int(minutes or 0) > 59:
        raise ValueError("Must have an offset between -23:59 and +23:59.")
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0)) // timedelta(milliseconds=1)
    return -offset if sign == "-" else offset
