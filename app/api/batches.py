"""Batches: many writes in one request."""

from typing import Any

from flask import Response, request

from app import strict_json
from app.api import bodies, replies
from app.api.auth import SECRET_KEY, current_workspace, requires
from app.api.blueprint import Blueprint
from app.schemas.batches import MAX_BODY, BatchSchema, VerdictsSchema, ignored_in_batch, load_items
from app.services.users import batches

blp = Blueprint("batch", __name__, description="Many writes in one request.")


@blp.post("/batch")
@requires(SECRET_KEY)
@bodies.takes(MAX_BODY, with_any_text=True)  # one bad text must not refuse the other items
@blp.arguments(BatchSchema)
@blp.response(200, VerdictsSchema, description="What became of each item.")
def run(body: dict[str, Any]) -> Response:
    """Create and update users and record events, in order."""
    loaded = load_items(body["data"], check_texts=strict_json.has_escapes(bodies.read_body(request)))
    verdicts = batches.run(current_workspace(), loaded.items)
    return replies.verdicts(len(body["data"]), {**loaded.refused, **verdicts}, ignored_in_batch(body))
