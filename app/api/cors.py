"""CORS: which web origins may use a public key. The secret is never allowed (Fetch standard).

flask-cors knows one list for an app; ours belong to key pairs. A preflight names no key, so it is answered from all
lists together; on the request itself the list of its own key decides whether the page may read the reply.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Request, Response, current_app, g, request

from app.services import keys

F = TypeVar("F", bound=Callable[..., Any])

_METHODS = "GET, POST, PUT, PATCH, DELETE"
_REQUEST_HEADERS = (
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-Id, X-User-Signature"
)
_SDK_HEADERS = (
    ", x-atomic-sdk-api-key, x-atomic-sdk-platform, x-atomic-sdk-version, x-atomic-sdk-device, x-atomic-sdk-timezone"
)
_REPLY_HEADERS = "ETag, Idempotent-Replayed, Link, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id"
_PREFLIGHT_SECONDS = "600"  # how long a browser may remember the answer: so long a forbidden origin may go on


def open_to_pages(view: F) -> F:
    """Say that pages of any origin may call the view: a token proves the user, and no browser sends it by itself."""
    view.is_open_to_pages = True  # type: ignore[attr-defined]
    return view


def answer_preflight(response: Response) -> Response:
    """Let the browser send the request it asks about, if any key lets its origin call.

    Raises errors.StorageUnavailable.
    """
    origin = request.headers.get("Origin")
    response.headers["Vary"] = "Origin"
    if origin and "Access-Control-Request-Method" in request.headers and (_is_open() or keys.knows_origin(origin)):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Methods"] = _METHODS
        response.headers["Access-Control-Allow-Headers"] = _REQUEST_HEADERS + (_SDK_HEADERS if _is_open() else "")
        response.headers["Access-Control-Max-Age"] = _PREFLIGHT_SECONDS
    return response


def open_reply(request: Request, response: Response) -> None:
    """Let the page read the reply, if the key lets its origin call; a reply to the secret is for no page."""
    origin = request.environ.get("HTTP_ORIGIN")
    if origin is None or request.method == "OPTIONS":
        return
    credential = g.get("credential")
    response.headers["Vary"] = "Origin"
    is_allowed = credential and not credential.full and (origin in credential.origins or "*" in credential.origins)
    if is_allowed or _is_open():
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = _REPLY_HEADERS


def _is_open() -> bool:
    return hasattr(current_app.view_functions.get(request.endpoint or ""), "is_open_to_pages")
