"""Clients and tokens of the Atomic API on the wire (atomic.md section 2)."""

from marshmallow import EXCLUDE, Schema, fields, validate

from app.domain import environments
from app.schemas.fields import Text

_ENVIRONMENT = "XQ19azQe"
_CLIENT = "cl4f0c5d1fa2b63c7d8e9f0a1b"
_CREATABLE = ("workbench", "events")


class TokenSchema(Schema):
    """An access token (RFC 6749 section 5.1)."""

    access_token = fields.String(required=True, metadata={"example": f"{_CLIENT}.aSCg4w.HWpNY0Zc"})
    token_type = fields.String(required=True, metadata={"enum": ["Bearer"], "example": "Bearer"})
    expires_in = fields.Integer(required=True, metadata={"description": "Seconds.", "example": 3600})


class EnvironmentSchema(Schema):
    """An environment: a workspace, by the id that it has here."""

    id = fields.String(required=True, metadata={"pattern": f"^{environments.FORM}$", "example": _ENVIRONMENT})
    name = fields.String(required=True, metadata={"description": "The name of the workspace.", "example": "acme"})


class EnvironmentsSchema(Schema):
    """Environments."""

    data = fields.List(fields.Nested(EnvironmentSchema), required=True)


class NewClientSchema(Schema):
    """The body of `POST /v1/{environment}/credentials`."""

    class Meta:
        unknown = EXCLUDE

    role = Text(
        required=True,
        validate=validate.OneOf(_CREATABLE, error="Must be workbench or events."),
        metadata={"description": "What the client may do.", "example": "events"},
    )


class ClientIdSchema(Schema):
    """A client."""

    client_id = fields.String(required=True, data_key="clientId", metadata={"example": _CLIENT})


class SecretSchema(ClientIdSchema):
    """A client with its secret."""

    client_secret = fields.String(
        required=True, data_key="clientSecret", metadata={"description": "Shown this once.", "example": "5kY3Rr"}
    )


class ClientSchema(Schema):
    """A client that was revoked."""

    data = fields.Nested(ClientIdSchema, required=True)


class ClientPairSchema(Schema):
    """A client that was made."""

    data = fields.Nested(SecretSchema, required=True)
