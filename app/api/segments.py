"""Segments: saved questions about users, and their answers (docs/segments.md)."""

from typing import Any

from flask import Response

from app import errors
from app.api import pages, replies
from app.api.auth import SECRET_KEY, caller, current_workspace, requires
from app.api.blueprint import Blueprint, may_raise
from app.api.bodies import nested
from app.schemas.pages import PageQuerySchema, UserPageSchema
from app.schemas.segments import (
    MAX_LEVELS,
    CreateSegmentSchema,
    SegmentFieldsSchema,
    SegmentPageSchema,
    SegmentQuerySchema,
    ShownSegmentSchema,
)
from app.schemas.status import StatusSchema
from app.services import users
from app.services.segments import definitions

blp = Blueprint("segments", __name__, description="Saved questions about users, answered when they are asked.")


@blp.post("/segments")
@requires(SECRET_KEY)
@nested(MAX_LEVELS)
@may_raise(errors.Conflict)
@blp.arguments(CreateSegmentSchema)
@blp.response(200, ShownSegmentSchema, description="The segment.")
def create(fields: dict[str, Any]) -> Response:
    """Create a segment."""
    return replies.segment(definitions.create(current_workspace(), fields, caller()))


@blp.get("/segments")
@requires(SECRET_KEY)
@blp.arguments(SegmentQuerySchema, location="query")
@blp.response(200, SegmentPageSchema, description="A page of segments.")
def page(query: dict[str, Any]) -> Response:
    """List the segments in the order in which they were made."""
    return replies.segments(definitions.page(current_workspace(), **pages.between(query)))


@blp.get("/segments/<segment:segment_id>")
@requires(SECRET_KEY)
@may_raise(errors.SegmentNotFound)
@blp.response(200, ShownSegmentSchema, description="The segment.")
def retrieve(segment_id: str) -> Response:
    """Read a segment."""
    return replies.segment(definitions.retrieve(current_workspace(), segment_id))


@blp.put("/segments/<segment:segment_id>")
@requires(SECRET_KEY)
@nested(MAX_LEVELS)
@may_raise(errors.SegmentNotFound, errors.Conflict)
@blp.arguments(SegmentFieldsSchema)
@blp.response(200, ShownSegmentSchema, description="The segment.")
def update(fields: dict[str, Any], segment_id: str) -> Response:
    """Change a segment; what is asked of it from now on is the new question."""
    return replies.segment(definitions.update(current_workspace(), segment_id, fields, caller()))


@blp.delete("/segments/<segment:segment_id>")
@requires(SECRET_KEY)
@may_raise(errors.SegmentNotFound, errors.Conflict)
@blp.response(200, StatusSchema, description="The segment is deleted.")
def delete(segment_id: str) -> Response:
    """Delete a segment that no other one uses."""
    definitions.delete(current_workspace(), segment_id, caller())
    return replies.done()


@blp.get("/segments/<segment:segment_id>/users")
@requires(SECRET_KEY)
@may_raise(errors.SegmentNotFound)
@blp.arguments(PageQuerySchema, location="query")
@blp.response(200, UserPageSchema, description="A page of users.")
def members(query: dict[str, Any], segment_id: str) -> Response:
    """List the users who are in the segment now, in the order in which they came."""
    return replies.users(users.page(current_workspace(), segment=segment_id, **pages.asked(query)))
