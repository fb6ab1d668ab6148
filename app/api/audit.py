"""The audit log: which key did what to which user, and when."""

from typing import Any

from flask import Response

from app.api import pages, replies
from app.api.auth import SECRET_KEY, current_workspace, requires
from app.api.blueprint import Blueprint
from app.schemas.audit import AuditPageSchema, AuditQuerySchema
from app.services import audit

blp = Blueprint("audit", __name__, description="Who did what to whom, and when.")


@blp.get("/audit")
@requires(SECRET_KEY)
@blp.arguments(AuditQuerySchema, location="query")
@blp.response(200, AuditPageSchema, description="A page of records.")
def page(query: dict[str, Any]) -> Response:
    """List what was done to the workspace, newest first."""
    return replies.audit_records(audit.page(current_workspace(), **pages.between(query)))
