"""Access tokens for clients (RFC 6749 section 4.4)."""

from urllib.parse import parse_qsl

from flask import Response, request

from app import errors
from app.api import rates
from app.api.atomic.blueprint import blp
from app.api.auth import OPEN, basic_pair, requires
from app.api.blueprint import may_raise
from app.api.bodies import read_body
from app.api.replies import reply
from app.schemas.clients import TokenSchema
from app.services.atomic import clients

_GRANT = "client_credentials"
_MAX_FIELDS = 20  # of a form; three have a meaning
_FORM = {
    "description": "The grant; the client's id and secret here or in HTTP Basic. All may stand in the query, too.",
    "required": False,
    "content": {
        "application/x-www-form-urlencoded": {
            "schema": {
                "type": "object",
                "properties": {
                    "grant_type": {"type": "string", "enum": [_GRANT]},
                    "client_id": {"type": "string"},
                    "client_secret": {"type": "string"},
                },
                "required": ["grant_type"],
            },
            "example": {"grant_type": _GRANT, "client_id": "cl0c5d1f", "client_secret": "..."},
        }
    },
}


@blp.post("/oauth2/token")
@requires(OPEN)
@may_raise(errors.InvalidTokenRequest, errors.UnsupportedGrant, errors.InvalidClient, errors.StorageUnavailable)
@blp.doc(requestBody=_FORM)
@blp.response(200, TokenSchema, description="The token, good for an hour.")
def issue_token() -> Response:
    """Give a client an access token for its id and secret."""
    token = _issue(_asked())
    return reply({"access_token": token, "token_type": "Bearer", "expires_in": clients.TOKEN_SECONDS})


def _asked() -> dict[str, str]:
    """What the query and the form say together. Raises errors.InvalidTokenRequest when they say a thing twice."""
    try:
        form = parse_qsl(read_body(request).decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError:  # also what is no UTF-8
        raise errors.InvalidTokenRequest("The form cannot be read.") from None
    pairs = [*request.args.items(multi=True), *form]
    asked = dict(pairs)
    if len(set(pairs)) != len(asked):
        raise errors.InvalidTokenRequest("The request says something twice.")
    return asked


def _issue(asked: dict[str, str]) -> str:
    if "grant_type" not in asked:
        raise errors.InvalidTokenRequest()
    if asked["grant_type"] != _GRANT:
        raise errors.UnsupportedGrant()
    rates.check_logins()
    try:
        return clients.issue(*_pair(asked))
    except errors.InvalidClient:
        rates.count_failed_login()
        raise


def _pair(asked: dict[str, str]) -> tuple[str, str]:
    id, secret = asked.get("client_id", ""), asked.get("client_secret", "")
    if "Authorization" not in request.headers:
        return id, secret
    try:
        pair = basic_pair(request.headers["Authorization"])
    except errors.WrongCredentials:
        raise errors.InvalidClient() from None
    if id not in ("", pair[0]):
        raise errors.InvalidClient()
    return pair
