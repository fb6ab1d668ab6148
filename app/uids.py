"""What a uid, the caller's identifier of a user, may look like (engage.md section 3)."""

import re
from collections.abc import Sequence
from typing import Any

MAX_LENGTH = 255  # characters
# For the OpenAPI document: JSON Schema has no words for "no white space at the end".
_INNER = r"\u0000-\u001f\u007f-\u009f/"
PATTERN = rf"^(?!\.{{1,2}}$)[^\s{_INNER}]([^{_INNER}]{{0,253}}[^\s{_INNER}])?$"
RULE = f"Must be 1 to {MAX_LENGTH} characters without a slash, control characters or white space at the ends."
CREATE_PATTERN = "^[A-Za-z0-9]{1,255}$"
CREATE_RULE = (
    "Must be letters and digits only. For any other uid use PUT /users/{uid}, "
    "or set ROLLCALL_CREATE_ID=any on the server."
)
NOT_THE_ID = "Must be the same as id. What GET showed of a user is changed by PUT /users/{uid}."
NOT_THAT_USER = "Must be the uid, or the id that GET shows of that user."

_UID = re.compile(r"(?!\.{1,2}\Z)(?!\s)[^\x00-\x1f\x7f-\x9f/]{1,255}(?<!\s)")
_CREATE = re.compile("[A-Za-z0-9]{1,255}")
_TEXT: frozenset[type] = frozenset((str,))


def is_valid(uid: str) -> bool:
    """Tell whether a user can have this uid."""
    return _UID.fullmatch(uid) is not None


def are_plain(uids: Sequence[Any]) -> bool:
    """Tell whether all are texts that `is_plain`; a look at each takes ten times as long."""
    if not _TEXT.issuperset(map(type, uids)) or not all(uids):
        return False
    together = "".join(uids)
    return not uids or (together.isalnum() and together.isascii() and max(map(len, uids)) <= MAX_LENGTH)


def is_plain(uid: str) -> bool:
    """Tell whether the uid is one that `POST /users` takes by default: ASCII letters and digits."""
    return _CREATE.fullmatch(uid) is not None
