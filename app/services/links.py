"""Signed links: what Rollcall, which sends no mail, gives to those who do.

A link names its workspace, and carries the user and the list signed with the workspace's key, so nobody can make one
and no table has to keep them.
"""

from typing import NamedTuple

from itsdangerous import BadSignature, URLSafeTimedSerializer

from app import errors
from app.models.workspaces import Workspace

CONFIRM, UNSUBSCRIBE = "confirm", "unsubscribe"
_MAX_AGE = {CONFIRM: 7 * 86_400, UNSUBSCRIBE: None}  # seconds; a mail that can be read must let its reader leave
_MAX_LENGTH = 512  # characters; ours have about 130


class Links(NamedTuple):
    """The links of a person's place on a list, without the address of the service."""

    confirm: str
    unsubscribe: str


def make(workspace: int, user_id: str, list_id: str) -> Links:
    """Return the links of a place on a list. Call in a statement or transaction."""
    owner = Workspace.get_by_id(workspace)
    return Links(*(f"{owner.environment_id}.{_signer(owner, one).dumps([user_id, list_id])}" for one in _MAX_AGE))


def read(link: str, purpose: str) -> tuple[int, str, str]:
    """Return (workspace, user id, list id) of a link that was made for this purpose. Raises errors.LinkInvalid."""
    environment_id, _, signed = link.partition(".")
    owner = Workspace.get_or_none(Workspace.environment_id == environment_id) if len(link) <= _MAX_LENGTH else None
    if owner is None:
        raise errors.LinkInvalid()
    try:
        user_id, list_id = _signer(owner, purpose).loads(signed, max_age=_MAX_AGE[purpose])
    except BadSignature:  # an expired one is one too
        raise errors.LinkInvalid() from None
    return owner.id, user_id, list_id


def _signer(owner: Workspace, purpose: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(owner.signing_key, salt=purpose)
