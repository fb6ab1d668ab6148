"""Environments, and the clients that may call one."""

from flask import Response, g

from app import errors
from app.api import bearers
from app.api.atomic.blueprint import ENVIRONMENT, blp
from app.api.auth import current_workspace
from app.api.bearers import ANY_ROLE, requires_role
from app.api.blueprint import may_raise
from app.api.replies import reply
from app.api.retries import unkept
from app.schemas.clients import ClientPairSchema, ClientSchema, EnvironmentsSchema, NewClientSchema
from app.services.atomic import clients
from app.services.atomic.clients import AUTH


@blp.get("/v1/environments")
@requires_role(*ANY_ROLE)
@blp.response(200, EnvironmentsSchema, description="The environment of the client.")
def environments() -> Response:
    """List the environments that the client may call: its own."""
    return reply({"data": [{"id": g.client.environment_id, "name": g.client.workspace_name}]})


@blp.post(f"{ENVIRONMENT}/credentials")
@requires_role(AUTH)
@unkept
@blp.arguments(NewClientSchema)
@blp.response(200, ClientPairSchema, description="The client, its secret this once.")
def create_client(wanted: dict[str, str]) -> Response:
    """Make a client with the role workbench or events."""
    made = clients.create(current_workspace(), wanted["role"], bearers.caller())
    return reply({"data": {"clientId": made.id, "clientSecret": made.secret}})


@blp.delete(f"{ENVIRONMENT}/credentials/<client_id>")
@requires_role(AUTH)
@may_raise(errors.NotFound)
@blp.response(200, ClientSchema, description="The client is worthless, and so are its tokens.")
def revoke_client(client_id: str) -> Response:
    """Revoke a client."""
    clients.revoke(current_workspace(), client_id, bearers.caller())
    bearers.forget(client_id)
    return reply({"data": {"clientId": client_id}})
