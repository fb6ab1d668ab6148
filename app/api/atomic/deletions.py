"""Deletion requests for customers."""

from typing import Any

from flask import Response, current_app

from app.api import bearers
from app.api.atomic.blueprint import ENVIRONMENT, MAX_BODY, blp
from app.api.atomic.customers import paged
from app.api.auth import current_workspace
from app.api.bearers import requires_role
from app.api.bodies import takes
from app.api.replies import reply
from app.domain import dates
from app.schemas.deletions import DeletedSchema, DeletionPageSchema, DeletionQuerySchema, IdsSchema
from app.services.atomic import deletions
from app.services.atomic.clients import EVENTS
from app.services.atomic.deletions import DeletionRow

_DESCRIPTION = "The ids of the request. They are gone for every reader, and erased within ROLLCALL_ERASURE_DELAY."


@blp.put(f"{ENVIRONMENT}/delete-users")
@requires_role(EVENTS)
@takes(MAX_BODY)
@blp.arguments(IdsSchema)
@blp.response(200, DeletedSchema, description=_DESCRIPTION)
def delete_customers(body: dict[str, list[str]]) -> Response:
    """Delete customers; unknown ids are answered too."""
    return _delete(body["data"])


@blp.put(f"{ENVIRONMENT}/deleteUsers")
@requires_role(EVENTS)
@takes(MAX_BODY)
@blp.arguments(IdsSchema)
@blp.response(200, DeletedSchema, description=_DESCRIPTION)
def delete_customers_by_other_name(body: dict[str, list[str]]) -> Response:
    """Delete customers: another name of `delete-users`."""
    return _delete(body["data"])


@blp.get(f"{ENVIRONMENT}/deletions")
@requires_role(EVENTS)
@blp.arguments(DeletionQuerySchema, location="query")
@blp.response(200, DeletionPageSchema, description="A page of deletions, with a Link header to the next one.")
def list_deletions(query: dict[str, Any]) -> Response:
    """List deletions, newest first: when each was asked for, is due and was done."""
    return paged("deletions", deletions.page(current_workspace(), **query), _shown)


def _delete(uids: list[str]) -> Response:
    delay = current_app.config["SETTINGS"].erasure_delay * 1000
    deletions.request(current_workspace(), uids, delay, bearers.caller())
    return reply({"userIds": uids})


def _shown(row: DeletionRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "state": row.state,
        "requested": dates.render_zulu(row.requested_at),
        "due": dates.render_zulu(row.due_at),
        "erased": None if row.erased_at is None else dates.render_zulu(row.erased_at),
        "attempts": row.attempts,
    }
