"""SDK keys: verify the tokens that an app's users send."""

from typing import Any

from flask import Response

from app import errors
from app.api import bearers
from app.api.atomic.blueprint import ENVIRONMENT, blp
from app.api.auth import current_workspace
from app.api.bearers import requires_role
from app.api.blueprint import may_raise
from app.api.replies import reply
from app.domain import dates
from app.schemas.sdk_keys import (
    DeletedSdkKeySchema,
    NewSdkKeySchema,
    SdkKeyFieldsSchema,
    SdkKeyReplySchema,
    SdkKeysSchema,
)
from app.services.atomic import sdk_keys
from app.services.atomic.clients import WORKBENCH
from app.services.atomic.sdk_keys import SdkKeyRow


@blp.get(f"{ENVIRONMENT}/sdk-keys")
@requires_role(WORKBENCH)
@blp.response(200, SdkKeysSchema, description="All SDK keys, in the order they were made.")
def list_sdk_keys() -> Response:
    """List the SDK keys."""
    return reply({"data": [_shown(one) for one in sdk_keys.everything(current_workspace())]})


@blp.post(f"{ENVIRONMENT}/sdk-keys")
@requires_role(WORKBENCH)
@may_raise(errors.Conflict)
@blp.arguments(NewSdkKeySchema)
@blp.response(200, SdkKeyReplySchema, description="The SDK key.")
def create_sdk_key(fields: dict[str, Any]) -> Response:
    """Make an SDK key."""
    return reply({"data": _shown(sdk_keys.create(current_workspace(), fields, bearers.caller()))})


@blp.put(f"{ENVIRONMENT}/sdk-keys/<sdk_key_id>")
@requires_role(WORKBENCH)
@may_raise(errors.NotFound)
@blp.arguments(SdkKeyFieldsSchema)
@blp.response(200, SdkKeyReplySchema, description="The SDK key.")
def update_sdk_key(fields: dict[str, Any], sdk_key_id: str) -> Response:
    """Change an SDK key; what is left out stays."""
    return reply({"data": _shown(sdk_keys.update(current_workspace(), sdk_key_id, fields, bearers.caller()))})


@blp.delete(f"{ENVIRONMENT}/sdk-keys/<sdk_key_id>")
@requires_role(WORKBENCH)
@may_raise(errors.NotFound)
@blp.response(200, DeletedSdkKeySchema, description="Tokens of the SDK key are not believed any more.")
def delete_sdk_key(sdk_key_id: str) -> Response:
    """Delete an SDK key."""
    sdk_keys.delete(current_workspace(), sdk_key_id, bearers.caller())
    return reply({"data": {"id": sdk_key_id}})


def _shown(key: SdkKeyRow) -> dict[str, Any]:
    of_set = {
        "keys": None if key.jwks is None else len(key.jwks),
        "fetched": None if key.fetched_at is None else dates.render_zulu(key.fetched_at),
        "problem": key.problem,
    }
    return {
        "id": key.id,
        "name": key.name,
        "publicKey": key.public_key,
        "jwksUrl": key.jwks_url,
        "maxTokenDays": key.max_token_days,
        "issuers": key.issuers,
        "audiences": key.audiences,
        "subjectClaim": key.subject_claim,
        "claims": key.claims,
        "created": dates.render_zulu(key.created_at),
        **(of_set if key.jwks_url is not None else {}),
    }
