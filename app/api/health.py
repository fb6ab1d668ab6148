"""Liveness and readiness, for load balancers and monitoring."""

from flask import Response

from app import errors
from app.api import replies
from app.api.auth import OPEN, requires
from app.api.blueprint import Blueprint, may_raise
from app.schemas.status import StatusSchema
from app.services import storage

blp = Blueprint("health", __name__, description="For load balancers and monitors; no credentials.")


@blp.get("/healthz")
@requires(OPEN)
@blp.response(200, StatusSchema, description="The process lives.")
def live() -> Response:
    """Tell that the process lives."""
    return replies.done()


@blp.get("/readyz")
@requires(OPEN)
@may_raise(errors.StorageUnavailable)
@blp.response(200, StatusSchema, description="The database is reachable, migrated and takes writes.")
def ready() -> Response:
    """Answer 200 if requests would be served, else 503."""
    storage.check()
    return replies.done()
