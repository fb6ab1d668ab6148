"""Custom fields of profiles."""

from collections.abc import Sequence

from flask import Response

from app import errors
from app.api import bearers
from app.api.atomic.blueprint import ENVIRONMENT, blp
from app.api.auth import current_workspace
from app.api.bearers import requires_role
from app.api.blueprint import may_raise
from app.api.replies import reply
from app.schemas.customers import FieldSchema, FieldsSchema
from app.services.atomic import fields
from app.services.atomic.clients import EVENTS, WORKBENCH
from app.services.atomic.fields import FieldRow


@blp.put(f"{ENVIRONMENT}/users/custom-profile-fields")
@requires_role(WORKBENCH)
@may_raise(errors.Conflict)
@blp.arguments(FieldSchema(many=True))
@blp.response(200, FieldsSchema, description="All custom fields, in the order of their creation.")
def define_fields(wanted: list[dict[str, str]]) -> Response:
    """Add custom fields, or give those that are there another label."""
    return _shown(fields.define(current_workspace(), [FieldRow(**one) for one in wanted], bearers.caller()))


@blp.get(f"{ENVIRONMENT}/users/custom-profile-fields")
@requires_role(WORKBENCH, EVENTS)
@blp.response(200, FieldsSchema, description="All custom fields, in the order of their creation.")
def list_fields() -> Response:
    """List the custom fields."""
    return _shown(fields.everything(current_workspace()))


def _shown(found: Sequence[FieldRow]) -> Response:
    return reply({"data": [field._asdict() for field in found]})
