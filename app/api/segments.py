"""Segments: saved rules about users, and their results (docs/segments.md)."""

from typing import Any

from flask import Response

from app import errors
from app.api import pages, replies
from app.api.auth import SECRET_KEY, caller, current_workspace, requires
from app.api.blueprint import Blueprint, may_raise
from app.api.bodies import nested
from app.api.conditions import conditional
from app.schemas.pages import PageQuerySchema, UserPageSchema
from app.schemas.segments import (
    MAX_LEVELS,
    ChangePageSchema,
    CountSchema,
    CreateSegmentSchema,
    ExplainQuerySchema,
    PreviewedRuleSchema,
    PreviewSchema,
    ReasonsSchema,
    SegmentFieldsSchema,
    SegmentPageSchema,
    SegmentQuerySchema,
    ShownSegmentSchema,
    SuppressedSchema,
)
from app.schemas.status import StatusSchema
from app.services import users
from app.services.segments import answers, definitions, sweeps

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


@blp.put("/segments/<segment:segment_id>/users/<uid:uid>")
@requires(SECRET_KEY)
@may_raise(errors.SegmentNotFound, errors.UserNotFound)
@blp.arguments(SuppressedSchema)
@blp.response(200, SuppressedSchema, description="Whether the user is suppressed now.")
@conditional()
def suppress(wanted: dict[str, bool], segment_id: str, uid: str) -> Response:
    """Suppress a user in a segment, who need not be in it, or do so no longer."""
    answers.set_suppressed(current_workspace(), segment_id, uid, wanted["suppressed"])
    return replies.reply(wanted)


@blp.get("/segments/<segment:segment_id>/count")
@requires(SECRET_KEY)
@may_raise(errors.SegmentNotFound)
@blp.response(200, CountSchema, description="How many, and whether they were counted.")
def count(segment_id: str) -> Response:
    """Count the users who are in the segment now."""
    return replies.count(answers.count(current_workspace(), segment_id))


@blp.get("/segments/<segment:segment_id>/explain")
@requires(SECRET_KEY)
@may_raise(errors.SegmentNotFound, errors.UserNotFound)
@blp.arguments(ExplainQuerySchema, location="query")
@blp.response(200, ReasonsSchema, description="The rule, with what was found and what came of it at every node.")
def explain(query: dict[str, str], segment_id: str) -> Response:
    """Explain why a user is in the segment, or is not."""
    return replies.reasons(answers.explain(current_workspace(), segment_id, query["uid"]))


@blp.post("/segments/preview")
@requires(SECRET_KEY)
@nested(MAX_LEVELS)
@blp.arguments(PreviewedRuleSchema)
@blp.response(200, PreviewSchema, description="What a segment of this rule would answer; nothing is stored.")
def preview(wanted: dict[str, Any]) -> Response:
    """Try a rule."""
    return replies.preview(answers.preview(current_workspace(), wanted["rule"]))


@blp.get("/segments/<segment:segment_id>/changes")
@requires(SECRET_KEY)
@may_raise(errors.SegmentNotFound)
@blp.arguments(SegmentQuerySchema, location="query")
@blp.response(200, ChangePageSchema, description="A page of changes.")
def changes(query: dict[str, Any], segment_id: str) -> Response:
    """List who entered the segment and who left it, as the sweeps found it, oldest first."""
    return replies.changes(sweeps.changes(current_workspace(), segment_id, **pages.between(query)))
