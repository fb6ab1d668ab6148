"""Segments: saved questions about users, answered by one SQL condition each (docs/segments.md)."""

from app.models.segments.counting import Count, count
from app.models.segments.explaining import Explanation, explain
from app.models.segments.sets import as_filter, compile_all, decide, filter_of, members_of
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
    "Count", "Explanation", "Segment", "SegmentRow", "SegmentSet", "SegmentSuppression", "as_filter", "change_set",
    "compile_all",
    "count", "create", "create_everybody", "decide", "delete", "everything", "explain", "filter_of", "find",
    "is_suppressed", "members_of", "page", "release", "suppress", "update", "version",
]  # fmt: skip
