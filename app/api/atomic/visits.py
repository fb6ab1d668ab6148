"""Routes for SDKs: an app reads and changes its own user with a token."""

from typing import Any

from flask import Response, g, request

from app import errors, logs
from app.api import bearers
from app.api.atomic import replies
from app.api.atomic.blueprint import blp
from app.api.auth import current_workspace
from app.api.bearers import proven_by
from app.api.blueprint import may_raise
from app.api.cors import open_to_pages
from app.api.replies import reply
from app.api.retries import unkept
from app.schemas.visits import OwnChangesSchema, OwnReplySchema, SdkHeadersSchema, fit_claims, load_own
from app.services import workspaces
from app.services.atomic import fields, sdk_tokens, visits
from app.services.atomic.customers import Sent
from app.services.atomic.sdk_tokens import Believed
from app.services.atomic.visits import Device
from app.services.keys import Credential

_KEY_HEADER = "x-atomic-sdk-api-key"


def prove() -> None:
    """Take the token of an SDK for the proof of who its user is.

    Raises errors.TokenInvalid when there is none, SdkTokenInvalid, KeysUnavailable.
    """
    workspace = workspaces.of_environment(g.wanted_environment)
    g.believed = sdk_tokens.verify(workspace, bearers.bearer_token(), request.headers.get(_KEY_HEADER))
    g.environment = g.wanted_environment
    g.credential = Credential(g.believed.workspace, g.believed.key_id, False, frozenset(), None)


@blp.put("/<environment:environment>/update-user")
@proven_by(prove)
@open_to_pages
@unkept
@may_raise(errors.SdkTokenInvalid, errors.KeysUnavailable)
@blp.arguments(SdkHeadersSchema, location="headers")
@blp.arguments(OwnChangesSchema)
@blp.response(200, OwnReplySchema, description="The profile, without analytics, and the preferences after the change.")
def update_own(device: dict[str, Any], changes: dict[str, Any]) -> Response:
    """Update the user of the token, who is made where there is none, and copy the claims of the token."""
    sent = Sent(*load_own(g.believed.uid, changes))
    return reply({"data": replies.own(visits.record(current_workspace(), _claims(g.believed), sent, Device(**device)))})


def _claims(believed: Believed) -> dict[str, str]:
    """What of the claims the profile can have; the rest is named in the log, without its values."""
    types = {field.name: field.type for field in fields.everything(current_workspace())} if believed.fields else {}
    found, skipped = fit_claims(believed.fields, types)
    if skipped:
        logs.warning(
            "claims_skipped",
            workspace=current_workspace(),
            sdk_key=believed.key_id,
            fields=skipped,
            reason="the value does not fit",
        )
    return found
