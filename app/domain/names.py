"""Hashes of names that callers choose: event ids and Idempotency-Keys (engage.md sections 2 and 4.3).

The public key ships in web pages, so names given with it alone are apart from those given with the secret: a stranger
cannot use up a name that a server uses, nor learn of it.
"""

import hashlib
import hmac

_UID = "rollcall erased uid\n"  # keeps these hashes apart from whatever else the key of a workspace signs
_PUBLIC = b"\x00"  # no name begins with it: event ids have no NUL, and headers neither


def hash_of(name: str, full: bool) -> str:
    """Return what is stored of a name: 64 hex digits. full: whether the secret was given."""
    return hashlib.sha256(name.encode() if full else _PUBLIC + name.encode()).hexdigest()


def hash_of_uid(key: str, uid: str) -> str:
    """Return what is kept of a uid that was erased: 64 hex digits. key: of the workspace. SQL has the same function."""
    return hmac.digest(key.encode(), f"{_UID}{uid}".encode(), hashlib.sha256).hex()
