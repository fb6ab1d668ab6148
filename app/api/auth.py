"""HTTP Basic authentication, checked before anything else in a request (engage.md section 2)."""

import base64
import binascii
import hashlib
import time
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, Request, current_app, g

from app import errors
from app.api import rates, signatures
from app.bounded import BoundedDict
from app.services import audit, keys
from app.services.audit import Caller
from app.services.keys import Credential

F = TypeVar("F", bound=Callable[..., Any])

OPEN = "open"  # no credentials
PUBLIC_KEY = "public key"  # the public key alone is enough
SECRET_KEY = "secret key"  # noqa: S105 - a level, not a key; public key and secret; what a view that says nothing needs

_CACHE_SECONDS = 1.0  # how long a revoked key may still work; saves a query on all other requests
_CACHE_SIZE = 10_000
_MAX_HEADER = 1_024  # characters; a pair of the longest keys takes 346


def requires(level: str) -> Callable[[F], F]:
    """Say who may call the view: OPEN, PUBLIC_KEY or SECRET_KEY."""

    def mark(view: F) -> F:
        view.access = level  # type: ignore[attr-defined]
        return view

    return mark


def init_app(app: Flask) -> None:
    """Remember the keys of requests to the Engage API; a route unknown to it is told to callers with a key only."""
    app.extensions["credentials"] = BoundedDict(_CACHE_SIZE)


def check(request: Request, view: Any) -> None:
    """Let the request pass or raise errors.WrongCredentials, SecretNeeded, SignatureNeeded, TooManyRequests."""
    level = getattr(view, "access", SECRET_KEY)
    if level == OPEN:
        return
    rates.check_logins()
    try:
        g.credential = credential = authenticate(request.headers.get("Authorization", ""))
    except errors.WrongCredentials:
        rates.count_failed_login()
        raise
    rates.count_key(credential)
    if level == SECRET_KEY and view is not None and not credential.full:
        raise errors.SecretNeeded()
    if level == PUBLIC_KEY:
        signatures.check(view, credential)


def current_workspace() -> int:
    """Return the workspace that the request speaks for."""
    return int(g.credential.workspace)


def caller() -> Caller:
    """Return who sent the request, for the audit log."""
    return Caller(g.credential.public_key, audit.SECRET if g.credential.full else audit.PUBLIC, g.request_id)


def has_secret() -> bool:
    """Return True if the request came with the secret."""
    return bool(g.credential.full)


def authenticate(header: str) -> Credential:
    """Return the credential of an Authorization header; the database is asked at most once a second for each.

    Raises errors.WrongCredentials.
    """
    cache = current_app.extensions["credentials"]
    return fresh(cache, name(header)) or _ask(cache, header)


_Cache = dict[bytes, tuple[Credential, float]]  # with the time.monotonic() until which it is believed


def known(cache: _Cache, header: str) -> Credential | None:
    """As `authenticate`, for a header that was right before; None where that is not so any more, or was never.

    Raises errors.StorageUnavailable.

    The hot path left all requests of the moment in which a second ended to their routes: each was late by all others.
    """
    credential = fresh(cache, name(header))
    if credential or name(header) not in cache:
        return credential
    try:
        return _ask(cache, header)
    except errors.WrongCredentials:
        cache.pop(name(header), None)
        return None


def fresh(cache: _Cache, name: bytes) -> Credential | None:
    """Return what was found out under that `name` of a header less than a second ago."""
    credential, good_until = cache.get(name, _NOTHING)
    return credential if good_until >= time.monotonic() else None


def _ask(cache: _Cache, header: str) -> Credential:
    credential = keys.authenticate(*basic_pair(header))
    cache[name(header)] = credential, time.monotonic() + _CACHE_SECONDS
    return credential


def name(header: str) -> bytes:
    """Return the name under which the value of an Authorization header is known, so that no secret is kept."""
    return hashlib.sha256(header.encode("latin-1", "replace")).digest()


_NOTHING: tuple[Credential | None, float] = (None, 0.0)


def basic_pair(header: str) -> tuple[str, str]:
    """Return user name and password of the value of an Authorization header. Raises errors.WrongCredentials."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        raise errors.WrongCredentials(hint=f"{_SENT.get(scheme.lower(), _SENT_OTHER)} {_WANTED}")
    if len(header) > _MAX_HEADER:
        raise errors.WrongCredentials(hint="The Authorization header is longer than any two keys are.")
    try:
        public, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise errors.WrongCredentials(hint=_MALFORMED) from None
    if not colon or "\x00" in public:
        raise errors.WrongCredentials(hint=_MALFORMED)
    return public, secret


_WANTED = "Use HTTP Basic, with the public key as user name and the secret key as password."
_SENT = {"": "No key was sent.", "bearer": "A Bearer token was sent; those are for the Atomic API."}
_SENT_OTHER = "The Authorization header is of another kind."
_MALFORMED = "What stands behind Basic must be public key, colon and secret key, together in base64."
