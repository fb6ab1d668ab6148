"""The X-User-Signature header: with it a workspace binds the public key to the signed user.

Its value is the signature of the uid that the request is about, hex(HMAC-SHA256(signing secret, uid)), and with a
comma a second one where a request is about two users.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import request

from app import errors
from app.api import bodies
from app.schemas.fields import digits_of
from app.services import signatures
from app.services.keys import Credential

F = TypeVar("F", bound=Callable[..., Any])

_HEADER = "X-User-Signature"
_MAX_SIGNATURES = 2  # what a request can be about at most: the two users of a merge


def about(*names: str) -> Callable[[F], F]:
    """Say which names of the body hold uids that the view writes to, beside the uid in its path."""

    def mark(view: F) -> F:
        view.about = names  # type: ignore[attr-defined]
        return view

    return mark


def check(view: Any, credential: Credential) -> None:
    """Refuse a write with the public key alone that is not signed, where its workspace demands it.

    A write that names no user is refused too, so a new route is closed until it says whom it is about.
    Raises errors.SignatureNeeded; InvalidBody, InvalidInput, BodyTooLarge where the uid stands in the body.
    """
    if credential.full or credential.signing_secret is None or request.method in ("GET", "HEAD"):
        return
    given = request.headers.get(_HEADER, "").lower().encode("utf-8", "replace").split(b",")[:_MAX_SIGNATURES]
    uids = _uids(getattr(view, "about", ()))
    if not uids or not signatures.cover(credential.signing_secret, [one.strip() for one in given], uids):
        raise errors.SignatureNeeded()


def _uids(names: tuple[str, ...]) -> set[str]:
    """The uids that the request is about. What is none, and will be refused as one, covers nothing."""
    uids = {request.view_args["uid"]} if request.view_args and "uid" in request.view_args else set()
    body = bodies.read_json(request) if names else {}
    given = [digits_of(body[name]) for name in names if body.get(name) is not None] if isinstance(body, dict) else []
    if not all(isinstance(one, str) for one in given):
        return set()
    return uids | set(given)
