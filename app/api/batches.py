"""Batches: many writes in one request."""

from typing import Any

from flask import Response, current_app, request

from app import errors, strict_json
from app.api import bodies, replies
from app.api.auth import SECRET_KEY, current_workspace, requires
from app.api.blueprint import Blueprint
from app.schemas.batches import MAX_BODY, BatchSchema, VerdictsSchema, load_items
from app.services import batches
from app.services.batches import Item

blp = Blueprint("batch", __name__, description="Many writes in one request.")


@blp.post("/batch")
@requires(SECRET_KEY)
@bodies.takes(MAX_BODY, with_any_text=True)  # one bad text must not refuse the other items
@blp.arguments(BatchSchema)
@blp.response(200, VerdictsSchema, description="What became of each item.")
def run(body: dict[str, Any]) -> Response:
    """Create and update users and record events, in order."""
    items, refused = _load(body["data"])
    refused |= batches.run(current_workspace(), items, current_app.config["CREATE_ID"] == "any")
    return replies.verdicts(len(body["data"]), refused)


def _load(data: list[Any]) -> tuple[list[Item], dict[int, errors.Failure]]:
    items: list[Item] = []
    refused: dict[int, errors.Failure] = {}
    for loaded in load_items(data, check_texts=strict_json.has_escapes(bodies.read_body(request))):
        if loaded.failure is None:
            items.append(Item(loaded.position, loaded.type, loaded.uid, loaded.fields))
        else:
            refused[loaded.position] = loaded.failure
    return items, refused
