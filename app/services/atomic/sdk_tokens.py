"""User tokens from SDKs: verify them and read their claims (atomic.md section 4).

A token says nothing about how it is to be verified: that is for the SDK key which the request names.
`kid` picks among the keys of that one's set; `jku`, `x5u` and `jwk` are not looked at.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import jwt
from jwt import PyJWS

from app import clock, errors, strict_json
from app.domain import ids, uids
from app.models import sdk_keys as store
from app.models.database import statement
from app.models.sdk_keys import SdkKeyRow
from app.services.atomic import jwks, signing_keys
from app.services.atomic.jwks import Wanted
from app.services.atomic.signing_keys import PublicKey

MAX_TOKEN = 8_192  # characters; web servers take no longer header
_SKEW = 60  # seconds that the clock of who made the token may be ahead of ours
_DAY = 86_400  # seconds
_SUBJECTS = ("atomic_sub", "atomic_id", "sub", "id")  # claims that may name the user, in this order
_API_KEY = "apiKey"  # the claim that names the SDK key
_jws = PyJWS()


class Believed(NamedTuple):
    """What a valid token says. fields: profile field -> the value of the claim, as it came, where there is one."""

    workspace: int
    key_id: str
    uid: str
    fields: dict[str, Any]


def verify(workspace: int | None, token: str, named: str | None = None) -> Believed:
    """Return what the token says, if the SDK key that the request names proves it.

    workspace: None where the environment is nobody's. named: the id of the key as the header of the request has it,
    else the claim apiKey names it; where both do they must agree. Not for inside a transaction: an unknown `kid` may be
    looked for at the issuer.
    Raises errors.SdkTokenInvalid, saying why; errors.KeysUnavailable while nobody can tell, errors.StorageUnavailable.
    """
    header, payload = _take_apart(token)
    claims = _claims(payload)
    given = claims.get(_API_KEY)
    if named and given is not None and given != named:
        raise errors.SdkTokenInvalid("The request names one SDK key in its header and another one in the token.")
    if workspace is None:
        raise _nobodys()
    key = _find(workspace, named or given)
    _check_signature(token, _public_key(workspace, key, header))
    _check_times(claims, key.max_token_days)
    _check_parties(claims, key)
    fields = {target: claims[name] for name, target in key.claims.items() if claims.get(name) is not None}
    return Believed(workspace, key.id, _subject(claims, key.subject_claim), fields)


def _take_apart(token: str) -> tuple[Mapping[str, Any], bytes]:
    """The header and the payload as they stand there, believed by nobody yet."""
    if len(token) > MAX_TOKEN:
        raise errors.SdkTokenInvalid(f"The token is longer than {MAX_TOKEN} characters.")
    try:
        parts = _jws.decode_complete(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError):  # a ValueError for text that is no UTF-8
        raise errors.SdkTokenInvalid("The token is no signed JSON Web Token.") from None
    return parts["header"], parts["payload"]


def _claims(payload: bytes) -> Mapping[str, Any]:
    try:
        claims = strict_json.loads_foreign(payload)
    except errors.InvalidBody:
        claims = None
    if not isinstance(claims, dict):
        raise errors.SdkTokenInvalid("The claims of the token are no JSON object, or one of them stands there twice.")
    return claims


@statement
def _find(workspace: int, id: object) -> SdkKeyRow:
    found = store.find(workspace, id) if isinstance(id, str) and ids.is_id(id) else None
    if found is None:
        raise _nobodys()
    return found


def _nobodys() -> errors.SdkTokenInvalid:
    return errors.SdkTokenInvalid("Neither x-atomic-sdk-api-key nor the claim apiKey names an SDK key.")


def _public_key(workspace: int, key: SdkKeyRow, header: Mapping[str, Any]) -> PublicKey:
    algorithm, kid = header.get("alg"), header.get("kid")
    if algorithm not in signing_keys.ALGORITHMS:
        raise errors.SdkTokenInvalid(f"The alg of the token is none of {', '.join(signing_keys.ALGORITHMS)}.")
    if key.public_key is not None:
        return signing_keys.load_pem(key.public_key)
    found = jwks.find(workspace, key, Wanted(kid if isinstance(kid, str) else None, str(algorithm)))
    if found is None:
        raise errors.SdkTokenInvalid("The key set has no key of this kid that fits the alg of the token.")
    return found


def _check_signature(token: str, key: PublicKey) -> None:
    try:
        _jws.decode_complete(token, key, algorithms=signing_keys.algorithms(key))
    except jwt.InvalidAlgorithmError:
        raise errors.SdkTokenInvalid("The alg of the token does not fit the SDK key.") from None
    except jwt.PyJWTError:
        raise errors.SdkTokenInvalid("The token is not signed with the SDK key.") from None


def _check_times(claims: Mapping[str, Any], max_days: int) -> None:
    now = clock.now() / 1000
    end = _seconds(claims, "exp")
    if end is None:
        raise errors.SdkTokenInvalid("The token has no exp.")
    if end <= now:
        raise errors.SdkTokenInvalid("The token has expired.")
    if end > now + max_days * _DAY + _SKEW:
        raise errors.SdkTokenInvalid(f"The token expires in more than {max_days} days.")
    if (_seconds(claims, "nbf") or 0) > now + _SKEW:
        raise errors.SdkTokenInvalid("The token is not valid yet.")


def _seconds(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or (isinstance(value, float) and not math.isfinite(value)):
        raise errors.SdkTokenInvalid(f"The {name} of the token is no number of seconds.")
    return float(value) if isinstance(value, float) else int(value)


def _check_parties(claims: Mapping[str, Any], key: SdkKeyRow) -> None:
    if key.issuers and claims.get("iss") not in key.issuers:
        raise errors.SdkTokenInvalid("The iss of the token is none of the issuers of the SDK key.")
    audience = claims.get("aud")
    meant = audience if isinstance(audience, list) else [audience]
    if key.audiences and not any(one in key.audiences for one in meant):
        raise errors.SdkTokenInvalid("The aud of the token is none of the audiences of the SDK key.")


def _subject(claims: Mapping[str, Any], name: str | None) -> str:
    """The uid: of the claim that the key names, else of the first there is; a number as its digits."""
    values = [claims[one] for one in ([name] if name else _SUBJECTS) if claims.get(one) is not None]
    uid = _text(values[0]) if values else ""
    if not uids.is_valid(uid) or not strict_json.is_storable(uid):
        raise errors.SdkTokenInvalid("The token does not say who the user is.")
    return uid


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) <= strict_json.MAX_INTEGER:
        value = int(value)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number else value if isinstance(value, str) else ""
