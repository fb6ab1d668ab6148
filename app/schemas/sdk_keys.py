"""SDK keys on the wire (atomic.md section 4)."""

from marshmallow import EXCLUDE, Schema, fields, validate

from app import downloads
from app.domain import ids
from app.schemas.fields import ShownDate, Text

MAX_TEXT = 255  # characters of a name, an issuer, an audience, a claim's name
MAX_PEM = 8_192  # characters; an RSA key of 8,192 bits takes 1,500
MAX_DAYS = 365  # that a token may be good for; one that never ends could not be taken back
MAX_PARTIES = 20  # issuers, or audiences, of a key
MAX_CLAIMS = 100  # that a key copies: more fields than anybody fills by token
_PEM = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE...\n-----END PUBLIC KEY-----\n"
_SHORT = validate.Length(min=1, max=MAX_TEXT)


def _parties(what: str, example: str) -> fields.List[str]:
    return fields.List(
        Text(validate=_SHORT, metadata={"example": example}),
        allow_none=True,
        validate=validate.Length(max=MAX_PARTIES),
        metadata={"description": what, "example": [example]},
    )


class SdkKeyFieldsSchema(Schema):
    """An SDK key as it is changed: what is left out stays, null means the default or none."""

    class Meta:
        unknown = EXCLUDE

    name = Text(validate=_SHORT, metadata={"description": "What people call it.", "example": "web, production"})
    public_key = Text(
        data_key="publicKey",
        allow_none=True,
        validate=validate.Length(min=1, max=MAX_PEM),
        metadata={
            "description": "A public key in PEM: RSA of 2,048 to 8,192 bits, P-256, P-384 or P-521. This or `jwksUrl`.",
            "example": _PEM,
        },
    )
    jwks_url = Text(
        data_key="jwksUrl",
        allow_none=True,
        validate=validate.Length(min=1, max=downloads.MAX_URL),
        metadata={
            "description": "Where the issuer publishes its keys (RFC 7517): https, on a public address. In place of "
            "`publicKey`.",
            "example": None,
        },
    )
    max_token_days = fields.Integer(
        strict=True,
        data_key="maxTokenDays",
        allow_none=True,
        validate=validate.Range(1, MAX_DAYS),
        metadata={"description": "How far out the `exp` of a token may lie, in days; 7 if not said.", "example": 7},
    )
    issuers = _parties("Of which `iss` must be one; any will do where there are none.", "https://id.example.com/")
    audiences = _parties("Of which `aud` must name one; any will do where there are none.", "https://app.example.com")
    subject_claim = Text(
        data_key="subjectClaim",
        allow_none=True,
        validate=_SHORT,
        metadata={
            "description": "The claim that names the user; else the first there is of `atomic_sub`, `atomic_id`, "
            "`sub` and `id`.",
            "example": None,
        },
    )
    claims = fields.Dict(
        keys=Text(validate=_SHORT),
        values=Text(validate=_SHORT),
        allow_none=True,
        validate=validate.Length(max=MAX_CLAIMS),
        metadata={
            "description": "Claims that are copied to the profile: name of the claim to name of the field, a standard "
            "one or a custom one that exists.",
            "example": {"city": "city", "ph": "phone"},
        },
    )


class NewSdkKeySchema(SdkKeyFieldsSchema):
    """An SDK key as it is made, with `publicKey` or `jwksUrl`."""

    name = Text(
        required=True, validate=_SHORT, metadata={"description": "What people call it.", "example": "web, production"}
    )


class SdkKeySchema(SdkKeyFieldsSchema):
    """An SDK key."""

    id = fields.String(
        required=True,
        metadata={
            "description": "What `x-atomic-sdk-api-key` names.",
            "pattern": ids.PATTERN,
            "example": "01a209c87cbe2baa19be3bcb",
        },
    )
    created = ShownDate(required=True, metadata={"example": "2021-01-12T05:24:39.062Z"})
    keys = fields.Integer(
        allow_none=True,
        metadata={"description": "With `jwksUrl`: how many keys of the set we take; null before it was fetched."},
    )
    fetched = ShownDate(allow_none=True, metadata={"description": "When the set was fetched last."})
    problem = fields.String(
        allow_none=True, metadata={"description": "Why the set could not be fetched the last time.", "example": None}
    )


class SdkKeyReplySchema(Schema):
    """An SDK key, in its envelope."""

    data = fields.Nested(SdkKeySchema, required=True)


class SdkKeysSchema(Schema):
    """The SDK keys of an environment, in the order they were made."""

    data = fields.List(fields.Nested(SdkKeySchema), required=True)


class SdkKeyIdSchema(Schema):
    """Which SDK key is gone."""

    id = fields.String(required=True, metadata={"example": "01a209c87cbe2baa19be3bcb"})


class DeletedSdkKeySchema(Schema):
    """Which SDK key is gone, in its envelope."""

    data = fields.Nested(SdkKeyIdSchema, required=True)
