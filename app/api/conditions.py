"""If-Match and If-None-Match on a write (RFC 9110 section 13.1)."""

from collections.abc import Callable

from flask import request

from app import errors
from app.api import replies
from app.services.users import UserRow


def conditions() -> tuple[Callable[[UserRow], bool] | None, bool]:
    """Return what must be true of the user, None for nothing, and whether there must be no user yet.

    Raises errors.InvalidInput for what we do not keep: a list of ETags, a weak one.
    """
    match, none_match = request.headers.get("If-Match"), request.headers.get("If-None-Match")
    if none_match not in (None, "*"):
        raise errors.InvalidInput({"If-None-Match": ["Must be *."]})
    if match is None:
        return None, none_match is not None
    if not (match.startswith('"') and match.endswith('"') and match.count('"') == 2):
        raise errors.InvalidInput({"If-Match": ["Must be the ETag of one reply."]})
    return lambda user: replies.etag(replies.user_json(user)) == match, none_match is not None
