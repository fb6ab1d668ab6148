"""Segment definitions: create, read, change, delete."""

from collections.abc import Mapping
from typing import Any

from app import clock, errors
from app.domain import cursors, rules
from app.domain.actions import Action
from app.domain.cursors import Page
from app.models import lists
from app.models import segments as store
from app.models.database import statement, transaction
from app.models.keyset import of_workspace
from app.models.segments import SegmentRow
from app.services import audit
from app.services.audit import Caller

__all__ = ["SegmentRow", "check", "create", "delete", "page", "retrieve", "update"]

MAX_SEGMENTS = 100  # of a workspace: all are decided with every user that is read


@transaction
def create(workspace: int, fields: Mapping[str, Any], caller: Caller) -> SegmentRow:
    """Make a segment. fields: name, rule (as app/schemas/rules lets it pass) and maybe description.

    Raises errors.InvalidInput when the rule names what is not there, errors.Conflict beyond MAX_SEGMENTS.
    """
    store.change_set(workspace)
    known = _known(workspace)
    if len(known) > MAX_SEGMENTS:  # that of everybody is not counted
        raise errors.Conflict(f"There are {MAX_SEGMENTS} segments already, and no more are taken.")
    check(workspace, fields["rule"], known)
    made = store.create(workspace, dict(fields), clock.now())
    audit.record(workspace, caller, Action.SEGMENT_CREATED, made.id)
    return made


@statement
def retrieve(workspace: int, id: str) -> SegmentRow:
    """Return the segment. Raises errors.SegmentNotFound."""
    found = store.find(workspace, id)
    if found is None:
        raise errors.SegmentNotFound()
    return found


@statement
def page(workspace: int, limit: int, after: str | None, before: str | None) -> Page:
    """Return segments in the order of their ids, that of everybody first, as SegmentRows; see `users.page`."""
    filters, backwards = [of_workspace(workspace)], before is not None
    found, behind = store.page(limit + 1, filters, before or after, descending=backwards)
    return cursors.page(found, behind, limit, backwards)


@transaction
def update(workspace: int, id: str, fields: Mapping[str, Any], caller: Caller) -> SegmentRow:
    """Change the fields given, those of `create`, and return the segment.

    Raises errors.SegmentNotFound, errors.InvalidInput when the rule names what is not there, or the segment itself by
    way of others, errors.Conflict for the segment of everybody.
    """
    _lock(workspace, id)
    if "rule" in fields:
        known = _known(workspace) | {id: fields["rule"]}
        check(workspace, fields["rule"], known, id)
        _check_users_of(workspace, id, known)
    if fields:
        store.update(workspace, id, dict(fields), clock.now())
        audit.record(workspace, caller, Action.SEGMENT_CHANGED, id)
    return retrieve(workspace, id)


@transaction
def delete(workspace: int, id: str, caller: Caller) -> None:
    """Delete the segment. Raises errors.SegmentNotFound, errors.Conflict when another segment's rule names it."""
    _lock(workspace, id)
    for one in store.everything(workspace):
        if id in rules.named(one.rule) and one.id != id:
            raise errors.Conflict(f"The segment {one.id} ({one.name}) uses this one.")
    store.delete(workspace, id)
    audit.record(workspace, caller, Action.SEGMENT_DELETED, id)


def check(
    workspace: int, rule: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]], id: str | None = None
) -> None:
    """Raise errors.InvalidInput unless all that a rule names is there, and its segments do not lead back to it.

    known: the rules of the workspace's segments by their ids. id: of the segment whose rule it shall be.
    """
    for pointer, leaf in rules.places(rule):
        if "list" in leaf and lists.find(workspace, leaf["list"]) is None:
            raise errors.InvalidInput({f"{pointer}/list": ["Must be the id of a list."]})
        if "segment" in leaf and leaf["segment"] not in known:
            raise errors.InvalidInput({f"{pointer}/segment": ["Must be the id of a segment."]})
        if "segment" in leaf and id is not None and _leads_to(leaf["segment"], id, known):
            raise errors.InvalidInput({f"{pointer}/segment": ["Must not lead back to this segment."]})
    if _size(rule, known) > rules.MAX_EXPANDED:
        message = f"Must have at most {rules.MAX_EXPANDED} leaves, with those of the segments that it names."
        raise errors.InvalidInput({rules.ROOT: [message]})


def _known(workspace: int) -> dict[str, dict[str, Any]]:
    return {one.id: one.rule for one in store.everything(workspace)}


def _lock(workspace: int, id: str) -> None:
    """Keep others from changing segments of the workspace, and see that this one may be changed."""
    if id == rules.EVERYBODY:
        raise errors.Conflict("The segment of everybody stays as it is.")
    retrieve(workspace, id)
    store.change_set(workspace)
    retrieve(workspace, id)  # it may have gone while others had the lock


def _check_users_of(workspace: int, id: str, known: Mapping[str, Mapping[str, Any]]) -> None:
    for other, rule in known.items():
        if other != id and _leads_to(other, id, known) and _size(rule, known) > rules.MAX_EXPANDED:
            message = f"Must not bring the segment {other}, which uses this one, beyond {rules.MAX_EXPANDED} leaves."
            raise errors.InvalidInput({rules.ROOT: [message]})


def _leads_to(start: str, wanted: str, known: Mapping[str, Mapping[str, Any]]) -> bool:
    seen, waiting = set(), [start]
    while waiting:
        one = waiting.pop()
        if one == wanted:
            return True
        if one not in seen:
            seen.add(one)
            waiting += rules.named(known.get(one, {}))
    return False


def _size(rule: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]]) -> int:
    """How many leaves the rule has with those of all segments that it names; counting stops beyond the limit."""
    total, waiting = 0, [rule]
    while waiting and total <= rules.MAX_EXPANDED:
        for leaf in rules.leaves(waiting.pop()):
            total += 1
            if "segment" in leaf:
                waiting.append(known[leaf["segment"]])
    return total
