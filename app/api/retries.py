"""The Idempotency-Key header, on every POST, PUT and PATCH."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import orjson
from flask import g, request

from app.api import bodies
from app.api.auth import OPEN, SECRET_KEY, current_workspace, has_secret
from app.api.flask_app import BareFlask, JsonReply
from app.api.replies import OUTCOME, told
from app.services import retries
from app.services.retries import ANYBODY, Made

F = TypeVar("F", bound=Callable[..., Any])

# In the environ of a request that failed on the hot path, and must be told so as on its route.
FAILURE = "rollcall.failure"
_NAMES = ("id", "uid", "source", "destination")  # under which requests and replies name users
_GROUPS = ("data", "userIds")  # under which the Atomic API has uids as keys, or as a list of them
_COUNTS = {"status", "accepted", "rejected", "duplicate", "dropped", "errors", "warnings"}
_METHODS = ("POST", "PUT", "PATCH")


def unkept(view: F) -> F:
    """Say that the view answers a secret, so that its reply is never kept: an Idempotency-Key does nothing there."""
    view.unkept = True  # type: ignore[attr-defined]
    return view


def keeps(view: Any, method: str) -> bool:
    """Return True if replies of a view to that method are kept for requests with an Idempotency-Key."""
    needs_key = getattr(view, "access", SECRET_KEY) != OPEN
    return method.upper() in _METHODS and needs_key and not hasattr(view, "unkept")


class App(BareFlask):
    """A Flask app that does a request with an Idempotency-Key once."""

    def dispatch_request(self) -> Any:
        """Call the view, or answer what it answered the first time."""
        if failure := request.environ.get(FAILURE):
            raise failure
        key = request.headers.get("Idempotency-Key")
        if key is None or request.method not in _METHODS or request.routing_exception or not self._may_keep():
            return super().dispatch_request()
        answer = retries.once(current_workspace(), key, has_secret(), _the_same(), self._act)
        response = told(JsonReply(answer.body), answer.outcome)
        if answer.replayed:
            response.headers["Idempotent-Replayed"] = "true"
        return response

    def _may_keep(self) -> bool:
        return "credential" in g and not hasattr(self.view_functions[request.endpoint or ""], "unkept")

    def _act(self) -> Made:
        response: Any = super().dispatch_request()
        body = bytes(response.get_data())
        return Made(body, set(_subjects(body)), response.headers.get(OUTCOME))


def _the_same() -> bytes:
    """What two requests have in common that are the same one sent twice; the secret sees more, so it is part of it."""
    head = f"{request.method} {request.full_path} {has_secret()}\n"
    return head.encode() + bodies.read_body(request)


def _subjects(body: bytes) -> Iterator[str]:
    """Everybody whom the reply may tell about: all that it, its path or its request names; nobody when it only counts.

    The reply of a batch names nobody, and its errors may quote what was sent.
    """
    reply = orjson.loads(body)
    if reply.keys() <= _COUNTS and not reply.get("errors") and not reply.get("warnings"):
        return
    yield from _named(reply)
    yield from filter(_is_text, (request.view_args or {}).values())
    try:
        yield from _named(orjson.loads(bodies.read_body(request) or b"{}"))
    except orjson.JSONDecodeError:  # a batch may have items that nobody can read
        yield ANYBODY


def _named(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (value[name] for name in _NAMES if _is_text(value.get(name)))
        yield from (uid for name in _GROUPS for uid in value.get(name) or () if _is_text(uid))
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _named(inner)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
