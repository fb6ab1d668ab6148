"""If-Match and If-None-Match on a write (RFC 9110 section 13.1)."""

from flask import request

from app import errors


def conditions() -> tuple[str | None, bool]:
    """Return the state that the user must have, None for any, and whether there must be no user yet.

    Raises errors.InvalidInput for what we do not keep: a list of ETags, a weak one.
    """
    match, none_match = request.headers.get("If-Match"), request.headers.get("If-None-Match")
    if none_match not in (None, "*"):
        raise errors.InvalidInput({"If-None-Match": ["Must be *."]})
    if match is not None and not (match.startswith('"') and match.endswith('"') and match.count('"') == 2):
        raise errors.InvalidInput({"If-Match": ["Must be the ETag of one reply."]})
    return match and match.strip('"'), none_match is not None
