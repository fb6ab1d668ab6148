"""Browsers of other origins: which may call with the public key, and never with the secret (Fetch standard, CORS).

flask-cors knows one list for an app; ours belong to key pairs. A preflight names no key, so it is answered from all
lists together; on the request itself the list of its own key decides whether the page may read the reply.
"""

from flask import Response, g, request

from app.services import keys

_METHODS = "GET, POST, PUT, PATCH, DELETE"
_REQUEST_HEADERS = (
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-Id, X-User-Signature"
)
_REPLY_HEADERS = "ETag, Idempotent-Replayed, Link, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id"
_PREFLIGHT_SECONDS = "600"  # how long a browser may remember the answer: so long a forbidden origin may go on


def answer_preflight(response: Response) -> Response:
    """Let the browser send the request it asks about, if any key lets its origin call.

    Raises errors.StorageUnavailable.
    """
    origin = request.headers.get("Origin")
    response.headers["Vary"] = "Origin"
    if origin and "Access-Control-Request-Method" in request.headers and keys.knows_origin(origin):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Methods"] = _METHODS
        response.headers["Access-Control-Allow-Headers"] = _REQUEST_HEADERS
        response.headers["Access-Control-Max-Age"] = _PREFLIGHT_SECONDS
    return response


def open_reply(response: Response) -> None:
    """Let the page read the reply, if the key lets its origin call; a reply to the secret is for no page."""
    origin, credential = request.headers.get("Origin"), g.get("credential")
    if origin is None or request.method == "OPTIONS":
        return
    response.headers["Vary"] = "Origin"
    if credential and not credential.full and (origin in credential.origins or "*" in credential.origins):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = _REPLY_HEADERS
