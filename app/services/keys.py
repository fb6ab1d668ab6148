"""Key pairs: authenticate a caller's workspace. Secrets are stored as SHA-256 only."""

import hashlib
import hmac
import re
import secrets
from typing import NamedTuple

from app import clock, errors
from app.domain.actions import Action
from app.models.database import statement, transaction
from app.models.workspaces import Key, Origin, find_key, is_any_origin, origins_of
from app.services import audit, signatures
from app.services.audit import Caller
from app.strict_json import is_storable

_HOUR = 3_600_000  # milliseconds
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?", re.ASCII)


class KeyPair(NamedTuple):
    """What a caller is given: the public key may stand in a web page, the secret may not."""

    public: str
    secret: str

    def shown(self) -> dict[str, str]:
        """Return the pair under the names it has wherever it is printed."""
        return {"public_key": self.public, "secret_key": self.secret}


class Credential(NamedTuple):
    """Whom a request speaks for. full: the secret was given too. origins: whose pages may call with the key.

    signing_secret: what signatures of users are made with, None where none are demanded.
    """

    workspace: int
    public_key: str
    full: bool
    origins: frozenset[str]
    signing_secret: str | None


@statement
def authenticate(public: str, secret: str) -> Credential:
    """Return the credential of a key pair; an empty secret stands for the public key alone.

    Raises errors.WrongCredentials for an unknown, revoked or expired key and for a wrong secret, all in one sentence.
    Its hint tells them apart: public keys are public.
    """
    key = find_key(public)
    if key is None or (key.expires_at is not None and key.expires_at <= clock.now()):
        raise errors.WrongCredentials(hint=_SWAPPED if _is_public(secret) else _UNKNOWN)
    if secret and not hmac.compare_digest(_hash(secret), key.secret_hash):
        raise errors.WrongCredentials(hint=_OTHER_SECRET)
    signing = None if key.signatures_since is None else signatures.secret(key.signing_key, key.signatures_since)
    return Credential(key.workspace, public, bool(secret), origins_of(public), signing)


_SWAPPED = "The two keys are swapped: the public key is the user name, the secret key the password."
_UNKNOWN = "The user name is no public key that is in use: it is unknown, revoked or expired."
_OTHER_SECRET = "The password is not the secret key that belongs to this public key."  # noqa: S105 - a sentence


def _is_public(text: str) -> bool:
    """Whether it is a public key, though it was sent as the secret."""
    return bool(text) and is_storable(text) and find_key(text) is not None


@transaction
def add(workspace: int, pair: KeyPair | None = None) -> KeyPair:
    """Give the workspace a key pair, a random one when none is given, and return it.

    Raises errors.Conflict when another pair has that public key.
    """
    pair = pair or KeyPair("pk_" + secrets.token_urlsafe(18), "sk_" + secrets.token_urlsafe(32))
    if Key.get_or_none(Key.public_key == pair.public):
        raise errors.Conflict("This public key is in use already.")
    Key.create(public_key=pair.public, workspace=workspace, secret_hash=_hash(pair.secret), created_at=clock.now())
    return pair


@statement
def valid(workspace: int) -> list[str]:
    """Return the public keys of the workspace that work now, oldest first."""
    query = Key.select(Key.public_key).where(
        (Key.workspace == workspace)
        & Key.revoked_at.is_null()
        & (Key.expires_at.is_null() | (Key.expires_at > clock.now()))
    )
    return [key.public_key for key in query.order_by(Key.created_at)]


@transaction
def rotate(workspace: int, overlap: float, caller: Caller) -> KeyPair:
    """Give the workspace a new pair; the pairs it has now stay valid for `overlap` hours, none longer than before."""
    end = clock.now() + int(overlap * _HOUR)
    Key.update(expires_at=end).where(
        (Key.workspace == workspace) & Key.revoked_at.is_null() & (Key.expires_at.is_null() | (Key.expires_at > end))
    ).execute()
    pair = add(workspace)
    audit.record(workspace, caller, Action.KEY_ROTATED, pair.public)
    return pair


@transaction
def revoke(public: str, caller: Caller) -> None:
    """Make the pair of this public key worthless, within a second in every process. Raises errors.NotFound."""
    changed = Key.update(revoked_at=clock.now()).where((Key.public_key == public) & Key.revoked_at.is_null()).execute()
    if not changed:
        raise errors.NotFound("There is no such key, or it is revoked already.")
    audit.record(_workspace_of(public), caller, Action.KEY_REVOKED, public)


@transaction
def allow_origin(public: str, origin: str, caller: Caller) -> None:
    """Let pages of this web origin, `*` for any, call with the public key. Raises errors.InvalidInput, NotFound."""
    workspace = _workspace_of(public)
    if origin != "*" and not _ORIGIN.fullmatch(origin):
        raise errors.InvalidInput({"origin": ["Must be * or like https://www.example.com, in small letters, no path."]})
    if list(Origin.insert(public_key=public, origin=origin).on_conflict_ignore().returning(Origin.origin).execute()):
        audit.record(workspace, caller, Action.ORIGIN_ADDED, public, origin)


@transaction
def forbid_origin(public: str, origin: str, caller: Caller) -> None:
    """Take an origin off the list of the key. Raises errors.NotFound."""
    if not Origin.delete().where((Origin.public_key == public) & (Origin.origin == origin)).execute():
        raise errors.NotFound("This origin is not on the list of this key.")
    audit.record(_workspace_of(public), caller, Action.ORIGIN_REMOVED, public, origin)


@statement
def origins(public: str) -> list[str]:
    """Return the origins on the list of the key, sorted."""
    return sorted(origins_of(public))


@statement
def knows_origin(origin: str) -> bool:
    """Return True if any key lets pages of this origin call: what a preflight, which names no key, is answered by."""
    return is_any_origin(origin)


def _workspace_of(public: str) -> int:
    workspace = Key.select(Key.workspace).where(Key.public_key == public).scalar()
    if workspace is None:
        raise errors.NotFound("There is no such key.")
    return int(workspace)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
