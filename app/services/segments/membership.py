"""Segments of users: the part that all code needs which shows users."""

from collections.abc import Sequence

from app import clock, errors
from app.models import segments as store
from app.models.database import statement, unrepeated
from app.models.keyset import Filter
from app.models.users import UserRow


def shown(workspace: int, users: Sequence[UserRow]) -> list[UserRow]:
    """Return users just read with the segments they are in, all decided in one statement.

    The rows themselves tell whether there are any segments: without them nothing is asked. All rows are of one
    workspace. A user who was deleted meanwhile is in none. Raises errors.StorageUnavailable.
    """
    version = next((user.rules for user in users if user.rules is not None), None)
    return list(users) if version is None else _decide(workspace, version, users)


@statement
def _decide(workspace: int, version: str, users: Sequence[UserRow]) -> list[UserRow]:
    found = store.decide(workspace, version, [user.id for user in users], clock.now())
    return [user._replace(segments=found.get(user.id, []), rules=None) for user in users]


def condition(workspace: int, segment_id: str) -> Filter:
    """Return the filter of the users in the segment. Raises errors.SegmentNotFound."""
    found = store.members_of(workspace, segment_id, clock.now())
    if found is None:
        raise errors.SegmentNotFound()
    return found


@unrepeated
def mark(workspace: int, *uids: str) -> None:
    """Have these users looked at by the next sweep, which finds what they entered and left."""
    store.mark(workspace, "uid", uids)


@unrepeated
def mark_ids(workspace: int, *ids: str) -> None:
    """As `mark`, by internal ids."""
    store.mark(workspace, "id", ids)
