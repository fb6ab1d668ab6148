"""Bearer authentication of the Atomic API: a token, its role and its environment (atomic.md section 2)."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, Request, current_app, g, request

from app import errors
from app.api import rates
from app.api.auth import OPEN
from app.bounded import BoundedDict
from app.services.atomic import clients
from app.services.atomic.clients import ClientRow
from app.services.audit import Caller
from app.services.keys import Credential

F = TypeVar("F", bound=Callable[..., Any])

BEARER = "bearer"  # the level of a view that wants a token
SDK = "sdk"  # the level of a view that wants the token of an SDK
ANY_ROLE = clients.ROLES

_CACHE_SECONDS = 1.0  # how long the token of a revoked client may still work; saves a query on all other requests
_CACHE_SIZE = 10_000


def requires_role(*roles: str) -> Callable[[F], F]:
    """Say which roles may call the view."""

    def mark(view: F) -> F:
        view.access, view.roles = BEARER, roles  # type: ignore[attr-defined]
        return view

    return mark


def proven_by(gate: Callable[[], None]) -> Callable[[F], F]:
    """Say that the view takes the token of an SDK, and which function checks it and says whose it is."""

    def mark(view: F) -> F:
        view.access, view.gate = SDK, gate  # type: ignore[attr-defined]
        return view

    return mark


def init_app(app: Flask) -> None:
    """Remember the clients that send requests to the Atomic API."""
    app.extensions["clients"] = BoundedDict(_CACHE_SIZE)


def check(request: Request, view: Any) -> None:
    """Let the request pass or raise errors.TokenInvalid, RoleNeeded, NotFound, TooManyRequests.

    A view that proves its callers in another way has a function for it in `gate`.
    """
    if getattr(view, "access", BEARER) == OPEN:
        return
    rates.check_logins()
    try:
        getattr(view, "gate", _authenticate)()
    except errors.TokenInvalid:
        rates.count_failed_login()
        raise
    rates.count_key(g.credential)
    if view is not None and not hasattr(view, "gate") and g.client.role not in getattr(view, "roles", ()):
        raise errors.RoleNeeded()
    if g.environment != g.get("wanted_environment", g.environment):
        raise errors.NotFound()


def caller() -> Caller:
    """Return which client sent the request, for the audit log."""
    return Caller(g.client.id, g.client.role, g.request_id)


def bearer_token() -> str:
    """Return the token that the request brings. Raises errors.TokenInvalid when it brings none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise errors.TokenInvalid()
    return token.strip()


def forget(client_id: str) -> None:
    """Forget a client that was revoked; other processes do so within _CACHE_SECONDS."""
    current_app.extensions["clients"].pop(client_id, None)


def _authenticate() -> None:
    token = bearer_token()
    client = _known(clients.named_in(token))
    if client is None:
        raise errors.TokenInvalid()
    clients.check(token, client)
    g.client, g.environment = client, client.environment_id
    g.credential = Credential(client.workspace, client.id, True, frozenset(), None)


def _known(client_id: str) -> ClientRow | None:
    """The client, from the database when it was not asked within a second."""
    cache: dict[str, tuple[ClientRow | None, float]] = current_app.extensions["clients"]
    client, good_until = cache.get(client_id, (None, 0.0))
    if good_until < time.monotonic():
        client = clients.find(client_id)
        cache[client_id] = client, time.monotonic() + _CACHE_SECONDS
    return client
