"""Public keys for token signatures, from PEM and JSON, and the algorithms we accept.

Nothing here comes near a shared secret: a key of HMAC has no place, so no public key can be taken for one.
"""

import functools
import json
from collections.abc import Mapping
from typing import Any, cast

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

PublicKey = RSAPublicKey | EllipticCurvePublicKey

MIN_RSA = 2048  # bits, RFC 7518 section 3.3
MAX_RSA = 8192  # bits; what is longer takes milliseconds to verify and nobody has it
_RSA = ("RS256", "RS384", "RS512")
_BY_CURVE: Mapping[str, tuple[str, ...]] = {"secp256r1": ("ES256",), "secp384r1": ("ES384",), "secp521r1": ("ES512",)}
ALGORITHMS = (*_RSA, *(one for some in _BY_CURVE.values() for one in some))
_PARTS = {"RSA": ("n", "e"), "EC": ("crv", "x", "y")}  # RFC 7518 section 6: what is public of a key
_MAX_PART = 2048  # characters; the modulus of MAX_RSA takes 1,366
_CACHED = 1_000  # keys that a process keeps as objects; to make one takes longer than to verify with it
RULE = f"an RSA key of {MIN_RSA} to {MAX_RSA} bits, or one of the curves P-256, P-384 and P-521"


def algorithms(key: PublicKey, only: str | None = None) -> tuple[str, ...]:
    """Return the algorithms of JSON Web Tokens that the key may verify, none for a key that we do not take.

    only: the one that its set names it for, if it does.
    """
    if isinstance(key, RSAPublicKey):
        fitting: tuple[str, ...] = _RSA if MIN_RSA <= key.key_size <= MAX_RSA else ()
    else:
        fitting = _BY_CURVE.get(key.curve.name, ())
    return tuple(one for one in fitting if only in (None, one))


def read_pem(text: str) -> str:
    """Return a public key in PEM as we keep it (SubjectPublicKeyInfo). Raises ValueError, with a sentence."""
    if "PRIVATE KEY" in text:
        raise ValueError("Must be a public key: this one is private, and should be seen by nobody.")
    try:
        key = load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("Must be a public key in PEM, which begins with -----BEGIN PUBLIC KEY-----.") from None
    if not isinstance(key, PublicKey) or not algorithms(key):
        raise ValueError(f"Must be {RULE}.")
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@functools.lru_cache(_CACHED)
def load_pem(text: str) -> PublicKey:
    """Return the key of a text that `read_pem` made."""
    return cast("PublicKey", load_pem_public_key(text.encode()))


def load_jwk(reduced: Mapping[str, str]) -> PublicKey:
    """Return the key of what `reduce` made."""
    return _load_jwk(json.dumps({name: reduced[name] for name in ("kty", *_PARTS[reduced["kty"]])}))


@functools.lru_cache(_CACHED)
def _load_jwk(text: str) -> PublicKey:
    return cast("PublicKey", jwt.PyJWK.from_json(text).key)


def reduce(jwk: object) -> dict[str, str] | None:
    """Return what verifying takes of a JSON Web Key (RFC 7517); None when it is not for that, or not one we take."""
    if not isinstance(jwk, dict) or not _is_for_signatures(jwk):
        return None
    names = [*_PARTS.get(_text(jwk.get("kty")), ()), *(name for name in ("kid", "alg") if name in jwk)]
    parts = {name: _text(jwk[name]) for name in ("kty", *names) if name in jwk}
    try:
        key = load_jwk(parts)
    except (KeyError, ValueError, jwt.PyJWTError, UnsupportedAlgorithm):
        return None
    return parts if all(parts.values()) and algorithms(key, parts.get("alg")) else None


def _is_for_signatures(jwk: Mapping[str, Any]) -> bool:
    operations = jwk.get("key_ops", ["verify"])
    return jwk.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations


def _text(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= _MAX_PART else ""
