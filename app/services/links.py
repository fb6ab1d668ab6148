"""Signed links for mails that others send.

A link names its workspace, and carries the user and the list signed with the workspace's key, so nobody can make one
and no table has to keep them. One to confirm also carries which of the user's places there it is: the next is another.
"""

from collections.abc import Sequence
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


def make(workspace: int, list_id: str, places: Sequence[tuple[str, str]]) -> list[Links]:
    """Return the links of places on a list, each (user id, position). Call in a statement or transaction."""
    owner = Workspace.get_by_id(workspace)
    confirm, unsubscribe = (_signer(owner, one) for one in _MAX_AGE)
    return [
        Links(
            f"{owner.environment_id}.{confirm.dumps([user_id, list_id, position])}",
            f"{owner.environment_id}.{unsubscribe.dumps([user_id, list_id])}",
        )
        for user_id, position in places
    ]


def read(link: str, purpose: str) -> tuple[int, str, str, str]:
    """Return (workspace, user id, list id, position) of a link that was made for this purpose.

    position: that of the place, "" where the link has none. Raises errors.LinkInvalid.
    """
    environment_id, _, signed = link.partition(".")
    owner = Workspace.get_or_none(Workspace.environment_id == environment_id) if len(link) <= _MAX_LENGTH else None
    if owner is None:
        raise errors.LinkInvalid()
    try:
        user_id, list_id, *position = _signer(owner, purpose).loads(signed, max_age=_MAX_AGE[purpose])
    except BadSignature:  # an expired one is one too
        raise errors.LinkInvalid() from None
    return owner.id, user_id, list_id, position[0] if position else ""


def _signer(owner: Workspace, purpose: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(owner.signing_key, salt=purpose)
