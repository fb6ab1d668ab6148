"""Preferences of customers."""

from typing import Any

from flask import Response

from app.api.atomic import replies
from app.api.atomic.blueprint import ENVIRONMENT, MAX_BODY, blp
from app.api.auth import current_workspace
from app.api.bearers import requires_role
from app.api.bodies import takes
from app.api.replies import reply
from app.schemas.customers_sent import load_preferences
from app.schemas.preferences import PreferencesOfSchema
from app.services.atomic import customers
from app.services.atomic.clients import EVENTS
from app.services.atomic.customers import Sent


@blp.put(f"{ENVIRONMENT}/userPreferences")
@requires_role(EVENTS)
@takes(MAX_BODY)
@blp.arguments(PreferencesOfSchema)
@blp.response(200, PreferencesOfSchema, description="The preferences as they are now.")
def set_preferences(body: dict[str, Any]) -> Response:
    """Change preferences of customers; an unknown customer is made."""
    stored = customers.save(current_workspace(), [Sent(*one) for one in load_preferences(body["data"])])
    return reply({"data": {one.uid: replies.preferences(one.preferences or customers.DEFAULT) for one in stored}})
