"""SDK keys: create, change, delete (atomic.md section 4).

A key is a public key in PEM, or the URL of a set that its issuer publishes: one of the two, never both.
"""

from collections.abc import Mapping
from typing import Any

from app import clock, downloads, errors
from app.domain import profiles
from app.domain.actions import Action
from app.models import sdk_keys as store
from app.models.database import statement, transaction
from app.models.sdk_keys import SdkKeyRow
from app.services import audit
from app.services.atomic import fields, jwks, signing_keys
from app.services.audit import Caller

__all__ = ["MAX_KEYS", "SdkKeyRow", "create", "delete", "everything", "update"]

MAX_KEYS = 100  # of a workspace: one for each app and stage, and then some
_DEFAULTS: Mapping[str, Any] = {
    "max_token_days": 7,  # atomic.md section 4
    "issuers": [],
    "audiences": [],
    "claims": {},
}
_SOURCES = ("public_key", "jwks_url")


@statement
def everything(workspace: int) -> list[SdkKeyRow]:
    """Return the SDK keys of the workspace in the order they were made."""
    return store.of_workspace(workspace)


def create(workspace: int, given: Mapping[str, Any], caller: Caller) -> SdkKeyRow:
    """Make an SDK key and return it; a set that a URL names is fetched meanwhile.

    given: name, public_key (PEM) or jwks_url, and any of max_token_days, issuers, audiences,
    subject_claim, claims (name of a claim -> profile field); None is as if it was not given.
    Raises errors.InvalidInput, errors.Conflict when there are MAX_KEYS.
    """
    return _fetched(workspace, _create(workspace, given, caller))


@transaction
def _create(workspace: int, given: Mapping[str, Any], caller: Caller) -> SdkKeyRow:
    columns = {**_DEFAULTS, **_checked(workspace, {name: one for name, one in given.items() if one is not None})}
    if not columns.keys() & set(_SOURCES):
        raise errors.InvalidInput({"/publicKey": ["Must be given, or jwksUrl in its place."]})
    if len(store.of_workspace(workspace)) >= MAX_KEYS:
        raise errors.Conflict(f"There are {MAX_KEYS} SDK keys already.")
    id = store.create(workspace, columns, clock.now())
    audit.record(workspace, caller, Action.SDK_KEY_CREATED, id)
    return _find(workspace, id)


def update(workspace: int, id: str, given: Mapping[str, Any], caller: Caller) -> SdkKeyRow:
    """Change what is given of an SDK key and return it. Takes effect with the next token.

    given: as in `create`; None stands for the default, or for none at all. A public_key takes the place of a jwks_url,
    and the other way round. Raises errors.NotFound, errors.InvalidInput.
    """
    return _fetched(workspace, _update(workspace, id, given, caller))


@transaction
def _update(workspace: int, id: str, given: Mapping[str, Any], caller: Caller) -> SdkKeyRow:
    before = _find(workspace, id)
    named = {name: _DEFAULTS.get(name) if one is None else one for name, one in given.items()}
    columns = {name: one for name, one in _checked(workspace, named).items() if getattr(before, name) != one}
    if columns.get("jwks_url") or columns.get("public_key"):  # what was fetched for the other is nothing to this one
        columns = {**dict.fromkeys((*_SOURCES, "jwks", "fetched_at", "tried_at", "problem")), **columns}
    after = {name: columns.get(name, getattr(before, name)) for name in _SOURCES}
    if not any(after.values()):
        raise errors.InvalidInput({"/publicKey": ["Must be given, or jwksUrl in its place."]})
    if columns:
        store.update(workspace, id, columns)
        audit.record(workspace, caller, Action.SDK_KEY_CHANGED, id)
    return _find(workspace, id)


@transaction
def delete(workspace: int, id: str, caller: Caller) -> None:
    """Delete an SDK key: no token that it proves is believed any more. Raises errors.NotFound."""
    if not store.delete(workspace, id):
        raise _missing()
    audit.record(workspace, caller, Action.SDK_KEY_DELETED, id)


def _fetched(workspace: int, key: SdkKeyRow) -> SdkKeyRow:
    if key.jwks_url is not None and key.tried_at is None:
        jwks.refresh(workspace, key)
    return key


def _checked(workspace: int, given: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of what is given, the key in the form that we keep. Raises errors.InvalidInput."""
    columns = dict(given)
    if all(columns.get(name) is not None for name in _SOURCES):
        raise errors.InvalidInput({"/jwksUrl": ["Must not be given together with publicKey."]})
    try:
        if columns.get("public_key") is not None:
            columns["public_key"] = signing_keys.read_pem(columns["public_key"])
    except ValueError as error:
        raise errors.InvalidInput({"/publicKey": [str(error)]}) from None
    try:
        if columns.get("jwks_url") is not None:
            jwks.check_url(columns["jwks_url"])
    except downloads.Failed as failure:
        raise errors.InvalidInput({"/jwksUrl": [str(failure)]}) from None
    _check_targets(workspace, columns.get("claims") or {})
    return columns


def _check_targets(workspace: int, claims: Mapping[str, str]) -> None:
    if not claims:
        return
    known = {*profiles.STANDARD, *(field.name for field in fields.everything(workspace))}
    targets = list(claims.values())
    for claim, target in claims.items():
        place = _pointer("claims", claim)
        if target not in known:
            raise errors.InvalidInput({place: ["Must be a standard field or a custom field that exists."]})
        if targets.count(target) > 1:
            raise errors.InvalidInput({place: ["Must not be the field of two claims."]})


def _pointer(*names: str) -> str:
    return "".join("/" + name.replace("~", "~0").replace("/", "~1") for name in names)  # RFC 6901


def _find(workspace: int, id: str) -> SdkKeyRow:
    found = store.find(workspace, id)
    if found is None:
        raise _missing()
    return found


def _missing() -> errors.NotFound:
    return errors.NotFound("There is no SDK key of this id.")
