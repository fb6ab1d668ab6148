"""Segments: saved questions about users, answered by one SQL condition each (docs/segments.md)."""

from app.models.segments.sets import compile_all, decide, filter_of, members_of
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
    page,
    release,
    suppress,
    update,
    version,
)

__all__ = [
    "Segment", "SegmentRow", "SegmentSet", "SegmentSuppression", "change_set", "compile_all", "create",
    "create_everybody", "decide", "delete", "everything", "filter_of", "find", "members_of", "page", "release",
    "suppress", "update", "version",
]  # fmt: skip
