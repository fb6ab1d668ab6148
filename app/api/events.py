"""Events of users."""

from typing import Any

from flask import Response

from app import errors
from app.api import replies
from app.api.auth import PUBLIC_KEY, SECRET_KEY, current_workspace, has_secret, requires
from app.api.blueprint import Blueprint, makes_user, may_raise
from app.api.conditions import conditional
from app.schemas.events import EventPageSchema, EventQuerySchema, EventSchema
from app.schemas.status import StatusSchema
from app.services import events

_OUTCOME = {
    replies.OUTCOME: {
        "description": "Why the event is not stored, told to the secret alone.",
        "schema": {"type": "string", "enum": [events.ERASED, events.DROPPED, events.DUPLICATE]},
    }
}
blp = Blueprint("events", __name__, description="What the users did.")


@blp.post("/users/<uid:uid>/events")
@requires(PUBLIC_KEY)
@makes_user
@blp.arguments(EventSchema)
@blp.response(200, StatusSchema, description="The event is taken.", headers=_OUTCOME)
@conditional()
def record(event: dict[str, Any], uid: str) -> Response:
    """Record something a user did."""
    return replies.recorded(events.record(current_workspace(), uid, **event, full=has_secret()))


@blp.get("/users/<uid:uid>/events")
@requires(SECRET_KEY)
@may_raise(errors.UserNotFound)
@blp.arguments(EventQuerySchema, location="query")
@blp.response(200, EventPageSchema, description="A page of events.")
def page(query: dict[str, Any], uid: str) -> Response:
    """List a user's events, newest first."""
    return replies.events(events.page(current_workspace(), uid, **query))
