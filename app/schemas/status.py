"""Small replies: status and errors (engage.md section 1)."""

from marshmallow import Schema, fields, validate


class StatusSchema(Schema):
    """It is done."""

    status = fields.String(required=True, validate=validate.Equal("ok"), metadata={"enum": ["ok"], "example": "ok"})


class ErrorSchema(Schema):
    """What went wrong, for people and for programs."""

    error = fields.String(
        required=True,
        metadata={"description": "One sentence.", "example": "email: Must be a valid email address."},
    )
    code = fields.String(
        required=True,
        metadata={
            "description": "Stable; docs/errors.md lists all of them.",
            "pattern": "^[a-z][a-z0-9_]*$",
            "example": "invalid_input",
        },
    )
    details = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String()),
        metadata={
            "description": "Bad input: which field breaks which rule, at most 20.",
            "example": {"email": ["Must be a valid email address."]},
        },
    )
    hint = fields.String(
        metadata={
            "description": "What to do next, where that depends on the request.",
            "example": "No route ends with a slash. Did you mean /v1/users?",
        }
    )
    docs = fields.String(
        required=True,
        metadata={"description": "Where the code is explained.", "example": "/docs/guides/errors#invalid_input"},
    )
    request_id = fields.String(
        metadata={"description": "Names this request in the log.", "example": "f1c2d3e4a5b60718"}
    )
