"""Clients of the Atomic API and their tokens (atomic.md section 2, RFC 6749 section 4.4).

A token is the client's id with a time, signed with the key of its workspace: it is checked with what is known of the
client, and no table has to keep it.
"""

import hashlib
import hmac
import secrets
from typing import NamedTuple

from itsdangerous import BadSignature, TimestampSigner

from app import clock, errors
from app.domain.actions import Action
from app.models import clients as store
from app.models.clients import ClientRow
from app.models.database import statement, transaction
from app.services import audit
from app.services.audit import Caller

__all__ = ["AUTH", "EVENTS", "ROLES", "TOKEN_SECONDS", "WORKBENCH", "ClientPair", "ClientRow"]

AUTH, WORKBENCH, EVENTS = "auth", "workbench", "events"
ROLES = (AUTH, WORKBENCH, EVENTS)
TOKEN_SECONDS = 3600  # atomic.md section 2
MAX_TOKEN = 512  # characters; a client's id has at most 128, time and signature 50
_PURPOSE = "atomic token"
_ID_BYTES, _SECRET_BYTES = 12, 32


class ClientPair(NamedTuple):
    """What a caller is given, the secret this once."""

    id: str
    secret: str
    role: str


@transaction
def create(workspace: int, role: str, caller: Caller, pair: ClientPair | None = None) -> ClientPair:
    """Give the workspace a client with one role, one of ROLES, a random pair when none is given, and return it.

    Raises errors.InvalidInput for another role, errors.Conflict when another client has that id.
    """
    if role not in ROLES:
        raise errors.InvalidInput({"role": [f"Must be one of {', '.join(ROLES)}."]})
    pair = pair or ClientPair("cl" + secrets.token_hex(_ID_BYTES), secrets.token_urlsafe(_SECRET_BYTES), role)
    if not store.add(workspace, pair.id, role, _hash(pair.secret), clock.now()):
        raise errors.Conflict("This client id is in use already.")
    audit.record(workspace, caller, Action.CLIENT_CREATED, pair.id)
    return pair


@transaction
def revoke(workspace: int, id: str, caller: Caller) -> None:
    """Make a client of the workspace worthless, and its tokens within a second in every process.

    Raises errors.NotFound.
    """
    if not store.revoke(workspace, id, clock.now()):
        raise errors.NotFound("There is no such client, or it is revoked already.")
    audit.record(workspace, caller, Action.CLIENT_REVOKED, id)


@statement
def valid(workspace: int) -> list[tuple[str, str]]:
    """Return (id, role) of the clients of the workspace that work, oldest first."""
    return [(client.id, client.role) for client in store.of_workspace(workspace)]


@statement
def find(id: str) -> ClientRow | None:
    """Return the client of that id unless there is none or it was revoked."""
    return store.find(id) if "\x00" not in id else None


def issue(id: str, secret: str) -> str:
    """Return a token of the client, good for TOKEN_SECONDS. Raises errors.InvalidClient."""
    client = find(id)
    if client is None or not hmac.compare_digest(_hash(secret), client.secret_hash):
        raise errors.InvalidClient()
    return _signer(client).sign(id).decode()


def named_in(token: str) -> str:
    """Return the id of the client that a token says it belongs to. Raises errors.TokenInvalid for what is no token."""
    id, *rest = token.split(".")
    if len(token) > MAX_TOKEN or not id or len(rest) != 2 or not token.isascii():
        raise errors.TokenInvalid()
    return id


def check(token: str, client: ClientRow) -> None:
    """Return when the client was given this token, less than TOKEN_SECONDS ago. Raises errors.TokenInvalid."""
    try:
        _signer(client).unsign(token, max_age=TOKEN_SECONDS)
    except BadSignature:  # an expired one is one too
        raise errors.TokenInvalid() from None


def _signer(client: ClientRow) -> TimestampSigner:
    return TimestampSigner(client.signing_key, salt=_PURPOSE, digest_method=hashlib.sha256)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
