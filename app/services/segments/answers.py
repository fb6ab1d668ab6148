"""Questions about a segment or an unsaved rule: how many, why, who."""

from typing import Any, NamedTuple

from app import clock, errors
from app.domain import rules
from app.models import segments as store
from app.models import users
from app.models.database import statement, transaction
from app.models.keyset import of_workspace
from app.models.segments import Count
from app.models.users import UserRow
from app.services.segments import definitions, membership

__all__ = ["Count", "Preview", "Reasons", "count", "explain", "preview", "set_suppressed"]

_PREVIEWED = 10  # users


class Reasons(NamedTuple):
    """Why a user is in a segment or is not. at: epoch milliseconds. rule: the tree, with `result` and `found`."""

    id: str
    uid: str
    member: bool
    suppressed: bool
    at: int
    rule: dict[str, Any]


class Preview(NamedTuple):
    """What a rule would answer: how many users, and the first of them."""

    counted: Count
    users: list[UserRow]


@statement
def count(workspace: int, id: str) -> Count:
    """Return how many users are in the segment now. Raises errors.SegmentNotFound."""
    return store.count(workspace, membership.condition(workspace, id))


@statement
def explain(workspace: int, id: str, uid: str) -> Reasons:
    """Return why the user is in the segment or is not. Raises errors.SegmentNotFound, errors.UserNotFound."""
    rule, now = definitions.retrieve(workspace, id).rule, clock.now()
    known = {one.id: one.rule for one in store.everything(workspace)}
    found = store.explain(workspace, known, rule, uid, now)
    user = users.find(workspace, uid)
    if found is None or user is None:
        raise errors.UserNotFound()
    return Reasons(id, uid, found.member, store.is_suppressed(workspace, user.id, id), now, found.tree)


@statement
def preview(workspace: int, rule: dict[str, Any]) -> Preview:
    """Return what a segment of the rule would answer. Raises errors.InvalidInput as `definitions.create` does."""
    definitions.check(workspace, rule, {one.id: one.rule for one in store.everything(workspace)})
    members = store.filter_of(workspace, rule, clock.now())
    found, _ = users.page(_PREVIEWED, [of_workspace(workspace), members], None, descending=False)
    return Preview(store.count(workspace, members), membership.shown(workspace, found))


@transaction
def set_suppressed(workspace: int, id: str, uid: str, suppressed: bool) -> None:
    """Suppress the user in the segment, in it or not, or do so no longer.

    Raises errors.SegmentNotFound, errors.UserNotFound.
    """
    definitions.retrieve(workspace, id)
    user_id = users.lock(workspace, uid)
    if user_id is None:
        raise errors.UserNotFound()
    if not suppressed:
        store.release(workspace, user_id, id)
        return
    if id == rules.EVERYBODY and store.version(workspace) is None:
        store.change_set(workspace)  # from now on reads look for who is suppressed
    store.suppress(workspace, user_id, id, clock.now())
