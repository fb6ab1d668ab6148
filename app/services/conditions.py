"""Preconditions (RFC 9110 section 13): checked and kept until the write is done."""

from collections.abc import Callable
from typing import TypeVar

from app import clock, errors
from app.domain import ids
from app.models import users as store
from app.models.database import transaction
from app.models.users import UserRow
from app.services.segments import membership

T = TypeVar("T")
Holds = Callable[[UserRow | None], bool]


@transaction
def held(workspace: int, uid: str, holds: Holds, only_new: bool, write: Callable[[], T]) -> T:
    """Do the write if the condition holds of the user of that uid, who is locked until it is done.

    holds: of the user with its segments, None if there is none. only_new: whether there must be no such user; then
    nobody else can make one before the write is done. Raises errors.PreconditionFailed, and what the write raises.
    """
    store.lock(workspace, uid)
    check(workspace, uid, holds)
    if only_new and not store.reserve(workspace, ids.new(), uid, clock.now()):
        raise errors.PreconditionFailed()
    return write()


def check(workspace: int, uid: str, holds: Holds) -> None:
    """Look at a user who is locked. Raises errors.PreconditionFailed where the condition does not hold."""
    found = store.find(workspace, uid)
    if not holds(found and membership.shown(workspace, [found])[0]):
        raise errors.PreconditionFailed()
