"""The Idempotency-Key header, on every POST, PUT and PATCH."""

from typing import Any

from flask import Flask, Response, g, request

from app.api import bodies
from app.api.auth import current_workspace, has_secret
from app.services import retries

# In the environ of a request that failed on the hot path, and must be told so as on its route.
FAILURE = "rollcall.failure"
_METHODS = ("POST", "PUT", "PATCH")


class App(Flask):
    """A Flask app that does a request with an Idempotency-Key once."""

    def dispatch_request(self) -> Any:
        """Call the view, or answer what it answered the first time."""
        if failure := request.environ.get(FAILURE):
            raise failure
        key = request.headers.get("Idempotency-Key")
        if key is None or request.method not in _METHODS or request.routing_exception or "credential" not in g:
            return super().dispatch_request()
        answer = retries.once(current_workspace(), key, _the_same(), self._act)
        response = Response(answer.body, mimetype="application/json")
        if answer.replayed:
            response.headers["Idempotent-Replayed"] = "true"
        return response

    def _act(self) -> bytes:
        return bytes(super().dispatch_request().get_data())  # type: ignore[union-attr]


def _the_same() -> bytes:
    """What two requests have in common that are the same one sent twice; the secret sees more, so it is part of it."""
    head = f"{request.method} {request.full_path} {has_secret()}\n"
    return head.encode() + bodies.read_body(request)
