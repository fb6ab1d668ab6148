"""User signatures: a workspace may require proof of the user from the public key.

The signing secret is not kept: it is made of the workspace's own key and the time since which signatures are demanded,
so demanding them again makes a new one.
"""

import hashlib
import hmac
from collections.abc import Iterable

from app import clock
from app.models.database import transaction
from app.models.workspaces import Workspace

_PURPOSE = "user signatures"


@transaction
def require(workspace: int) -> str:
    """Demand signatures from now on and return the secret to make them with; one that was given before is worthless.

    Takes effect within a second in every process.
    """
    owner = Workspace.get_by_id(workspace)
    since = max(clock.now(), (owner.signatures_since or 0) + 1)
    Workspace.update(signatures_since=since).where(Workspace.id == workspace).execute()
    return secret(owner.signing_key, since)


@transaction
def stop_requiring(workspace: int) -> None:
    """Take the public key alone at its word again."""
    Workspace.update(signatures_since=None).where(Workspace.id == workspace).execute()


def secret(signing_key: str, since: int) -> str:
    """Return the signing secret of a workspace, 64 hex digits."""
    return hmac.new(signing_key.encode(), f"{_PURPOSE} {since}".encode(), hashlib.sha256).hexdigest()


def sign(secret: str, uid: str) -> str:
    """Return the signature of a uid, 64 hex digits."""
    return hmac.new(secret.encode(), uid.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def cover(secret: str, signatures: Iterable[bytes], uids: Iterable[str]) -> bool:
    """Return True if each uid has its signature among these; compared in constant time."""
    return all(any(hmac.compare_digest(one, sign(secret, uid).encode()) for one in signatures) for uid in uids)
