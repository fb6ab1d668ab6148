"""Segments: saved questions about users, answered by one SQL condition each (docs/segments.md)."""

from app.models.segments.counting import Count, count
from app.models.segments.explaining import Explanation, explain
from app.models.segments.sets import as_filter, compile_all, decide, filter_of, members_of
from app.models.segments.sweeping import (
    ChangeRow,
    SegmentChange,
    SegmentMark,
    SegmentMember,
    SegmentSweep,
    State,
    changes,
    forget_changes,
    known_members,
    lock_users,
    lock_version,
    mark,
    move,
    moves_of,
    next_users,
    note_swept,
    of_segment,
    state,
    take_marked,
)
from app.models.segments.tables import (
    Segment,
    SegmentRow,
    SegmentSet,
    SegmentSuppression,
    change_set,
    create,
    create_everybody,
    delete,
    everything,
    find,
    is_suppressed,
    page,
    release,
    suppress,
    update,
    version,
)

__all__ = [
    "ChangeRow", "Count", "Explanation", "Segment", "SegmentChange", "SegmentMark", "SegmentMember", "SegmentRow",
    "SegmentSet", "SegmentSuppression", "SegmentSweep", "State", "as_filter", "change_set", "changes", "compile_all",
    "count", "create", "create_everybody", "decide", "delete", "everything", "explain", "filter_of", "find",
    "forget_changes", "is_suppressed", "known_members", "lock_users", "lock_version", "mark", "members_of", "move",
    "moves_of", "next_users", "note_swept", "of_segment", "page", "release", "state", "suppress", "take_marked",
    "update", "version",
]  # fmt: skip
