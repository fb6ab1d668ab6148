"""Uids: which texts a caller may use to identify a user (engage.md section 3)."""

import re
from collections.abc import Sequence
from typing import Any

MAX_LENGTH = 255  # characters
# What shows nothing and comes along when text is copied: Default_Ignorable_Code_Point of Unicode (UAX 44), and the
# blank of Braille. U+E0000 to U+E0FFF stand as themselves: regular expressions of JSON and Python spell them unlike.
_INVISIBLE = (
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# For the OpenAPI document: JSON Schema has no words for "no white space at the end".
_INNER = r"\u0000-\u001f\u007f-\u009f/"
PATTERN = rf"^(?!\.{{1,2}}$)[^\s{_INVISIBLE}{_INNER}]([^{_INNER}]{{0,253}}[^\s{_INVISIBLE}{_INNER}])?$"
RULE = (
    f"Must be 1 to {MAX_LENGTH} characters without a slash or control characters, "
    "and without white space or invisible characters at the ends."
)
CREATE_PATTERN = "^[A-Za-z0-9]{1,255}$"
CREATE_RULE = (
    "Must be letters and digits only. For any other uid use PUT /users/{uid}, "
    "or set ROLLCALL_CREATE_ID=any on the server."
)
NOT_THE_ID = "Must be the same as id. What GET showed of a user is changed by PUT /users/{uid}."
NOT_THAT_USER = "Must be the uid, or the id that GET shows of that user."

_EARLIER = re.compile(r"(?!\.{1,2}\Z)(?!\s)[^\x00-\x1f\x7f-\x9f/]{1,255}(?<!\s)")
_UID = re.compile(rf"(?![{_INVISIBLE}]){_EARLIER.pattern}(?<![{_INVISIBLE}])")
_CREATE = re.compile("[A-Za-z0-9]{1,255}")
_TEXT: frozenset[type] = frozenset((str,))


def is_valid(uid: str) -> bool:
    """Return True if a user can have this uid."""
    return _UID.fullmatch(uid) is not None


def may_be_stored(uid: str) -> bool:
    """Return True if a user may have this uid from before invisible characters at the ends were refused.

    Such a user can still be read, merged away and erased.
    """
    return _EARLIER.fullmatch(uid) is not None


def are_plain(uids: Sequence[Any]) -> bool:
    """Return True if all are texts that `is_plain`; a look at each takes ten times as long."""
    if not _TEXT.issuperset(map(type, uids)) or not all(uids):
        return False
    together = "".join(uids)
    return not uids or (together.isalnum() and together.isascii() and max(map(len, uids)) <= MAX_LENGTH)


def is_plain(uid: str) -> bool:
    """Return True if the uid is one that `POST /users` takes by default: ASCII letters and digits."""
    return _CREATE.fullmatch(uid) is not None


def let_any_be_created(does: bool) -> None:
    """Let `POST /users` and `create` items take any uid, and not letters and digits alone: ROLLCALL_CREATE_ID."""
    global _any_may_be_created
    _any_may_be_created = does


def may_be_created(uid: str) -> bool:
    """Return True if `POST /users` and `create` items take the uid, which is valid."""
    return _any_may_be_created or is_plain(uid)


_any_may_be_created = False
