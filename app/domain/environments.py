"""Environment ids: the name of a workspace in the Atomic API (atomic.md section 1)."""

import re
import secrets
import string

LENGTH = 8
# With a capital or a digit in it: so none is a word of our routes, which are small letters alone.
FORM = f"(?=[a-z]{{0,{LENGTH - 1}}}[A-Z0-9])[A-Za-z0-9]{{{LENGTH}}}"
RULE = f"Must be {LENGTH} letters and digits, with a capital or a digit among them."

_FORM = re.compile(FORM)


def new() -> str:
    """Return a new environment id: unguessable, but no secret."""
    rest = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(LENGTH - 1))
    return secrets.choice(string.ascii_uppercase) + rest


def is_valid(text: str) -> bool:
    """Return True if a workspace can have this environment id."""
    return _FORM.fullmatch(text) is not None
