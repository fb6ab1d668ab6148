"""The audit log on the wire (docs/audit.md)."""

from marshmallow import Schema, fields, validate

from app.domain import ids
from app.domain.actions import Action
from app.schemas.fields import Limit, QueryDate, ShownDate, Text
from app.schemas.pages import CursorQuerySchema

MAX_PAGE = 100
DEFAULT_PAGE = 10
SUBJECT_PATTERN = "^[A-Za-z0-9_.~-]{1,128}$"  # internal ids and public keys (app/config.py)
_ID = "6a7fc6477241fcec31a9548e"
_LEVELS = ["public", "secret", "shell", "auth", "workbench", "events"]
_ACTIONS = [str(action) for action in Action]


class AuditQuerySchema(CursorQuerySchema):
    """Which records to show."""

    limit = Limit(MAX_PAGE, load_default=DEFAULT_PAGE, metadata={"description": "Rows a page.", "example": 10})
    action = Text(
        validate=validate.OneOf(_ACTIONS), metadata={"description": "Only this.", "example": str(Action.USER_DELETED)}
    )
    subject = Text(
        validate=validate.Regexp(SUBJECT_PATTERN, error="Must be an internal id or a public key."),
        metadata={"description": "Only what was done to this user, list or key.", "example": _ID},
    )
    since = QueryDate(metadata={"description": "Only records from this moment on.", "example": "2026-01-01"})
    until = QueryDate(metadata={"description": "Only records before this moment.", "example": "2026-02-01"})


class AuditRecordSchema(Schema):
    """Something that was done, and by whom."""

    id = fields.String(
        required=True, metadata={"description": "Ours, ordered by time.", "pattern": ids.PATTERN, "example": _ID}
    )
    action = fields.String(
        required=True, metadata={"description": "What was done.", "enum": _ACTIONS, "example": str(Action.USER_DELETED)}
    )
    actor = fields.String(
        required=True,
        metadata={
            "description": "The public key or client of the caller; `cli` is the shell.",
            "example": "pk_Xq19azQe",
        },
    )
    level = fields.String(
        required=True,
        metadata={
            "description": "What the caller proved.",
            "enum": _LEVELS,
            "example": "secret",
        },
    )
    subject = fields.String(
        required=True,
        metadata={
            "description": "The internal id of the user or list, the key, the client or the name of the field.",
            "example": "5fc6477241fcec31a9548e98",
        },
    )
    other = fields.String(
        required=True,
        allow_none=True,
        metadata={
            "description": "Of a merge the internal id of the user that remains, of an origin the origin.",
            "example": None,
        },
    )
    at = ShownDate(
        required=True, metadata={"description": "UTC, milliseconds.", "example": "2026-01-12T05:24:39.062+00:00"}
    )
    request_id = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Of the request that did it; null from the shell.", "example": "f1c2d3e4a5b60718"},
    )


class AuditPageSchema(Schema):
    """A page of records, newest first."""

    data = fields.List(fields.Nested(AuditRecordSchema), required=True)
    next_cursor = fields.String(
        metadata={"description": "Given if there are older ones.", "pattern": ids.PATTERN, "example": _ID}
    )
    previous_cursor = fields.String(
        metadata={"description": "Given if there are newer ones.", "pattern": ids.PATTERN, "example": _ID}
    )
