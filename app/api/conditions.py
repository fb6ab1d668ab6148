"""If-Match and If-None-Match (RFC 9110 section 13.1; docs/conditions.md).

An ETag is "<state>.<view>": the first half is that of what callers write, the second of all that a reply shows. A
write compares the first alone, so that an event does not fail an edit.
"""

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Request, Response, current_app, request

from app import errors
from app.api import replies
from app.api.auth import OPEN, SECRET_KEY, current_workspace, has_secret
from app.services import conditions
from app.services.conditions import Holds
from app.services.users import UserRow

F = TypeVar("F", bound=Callable[..., Any])

_NAMES = ("If-Match", "If-None-Match")
_SAFE = ("GET", "HEAD", "OPTIONS")


def conditional(name: str = "uid") -> Callable[[F], F]:
    """Let a view change a user only where the conditions of the request hold.

    Stands next to the view, below what reads the body. The view runs in one transaction with the look at the user.
    name: of the path parameter, else of the field of the body, that holds the user's uid.
    """

    def mark(view: F) -> F:
        @functools.wraps(view)
        def run(*args: Any, **kwargs: Any) -> Any:
            holds = wanted()
            if holds is None:
                return view(*args, **kwargs)
            uid = kwargs[name] if name in kwargs else args[0][name]
            only_new = request.if_none_match.star_tag
            return conditions.held(current_workspace(), uid, holds, only_new, lambda: view(*args, **kwargs))

        return obeys_conditions(run)  # type: ignore[return-value]

    return mark


def obeys_conditions(view: F) -> F:
    """Say that the view looks at conditions, as `conditional` does, or by itself with `wanted`."""
    view.conditional = True  # type: ignore[attr-defined]
    return view


def tells_etag(view: F) -> F:
    """Say that the view answers an ETag, and 304 by `not_modified`, for the OpenAPI document."""
    view.tells_etag = True  # type: ignore[attr-defined]
    return view


def wanted() -> Holds | None:
    """Return what must be true of the user before the request changes it; None where it says nothing.

    For a missing user a route that makes none answers 404, as without a condition. Raises errors.SecretNeeded, as a
    caller who can try states learns what is stored: with the public key alone there is only `If-None-Match: *`.
    """
    if not any(name in request.headers for name in _NAMES):
        return None
    match, none_match = request.if_match, request.if_none_match
    if not has_secret() and ("If-Match" in request.headers or not none_match.star_tag):
        raise errors.SecretNeeded("A condition on the state of a user needs the secret key: it tells what is stored.")
    has_match, may_be_made = "If-Match" in request.headers, _makes_user()

    def holds(found: UserRow | None) -> bool:
        if found is None:
            return not has_match or not may_be_made
        etag = replies.etag(replies.user_json(found)).strip('"')
        states = {_state(one) for one in match.as_set(include_weak=True) if one}  # of W/"" werkzeug makes None
        return (not has_match or match.star_tag or _state(etag) in states) and not none_match.contains_weak(etag)

    return holds


def not_modified(response: Response) -> Response:
    """Return 304 in place of a response that the caller has already, by If-None-Match."""
    etag = response.headers["ETag"].strip('"')
    if "If-None-Match" not in request.headers or not request.if_none_match.contains_weak(etag):
        return response
    unchanged = Response(status=304)
    unchanged.headers["ETag"] = response.headers["ETag"]
    return unchanged


def refuse_where_none_hold(request: Request, view: Any) -> None:
    """Refuse conditions on a route that does not look at them: who sends them believes to be safe.

    Raises errors.InvalidInput.
    """
    if request.method in _SAFE or view is None:
        return
    sent = next((name for name in _NAMES if name in request.headers), None)
    if sent and getattr(view, "access", SECRET_KEY) != OPEN and not getattr(view, "conditional", False):
        raise errors.InvalidInput({sent: ["Is not looked at here: leave it out. docs/conditions.md names the routes."]})


def _makes_user() -> bool:
    """Whether the route makes a user where there is none: of the uid in its path, or of one in its body."""
    view = current_app.view_functions[request.endpoint or ""]
    return "uid" not in (request.view_args or {}) or getattr(view, "makes_user", False)


def _state(etag: str) -> str:
    return etag.partition(".")[0]
