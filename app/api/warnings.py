"""Warnings about ignored keys of a body, for the secret key (engage.md section 6)."""

import json
from collections.abc import Sequence
from typing import Any

from flask import Request, g

from app import errors, strict_json
from app.api import bodies
from app.api.auth import has_secret
from app.api.flask_app import Reply
from app.schemas import ignored_keys

HEADER = "Rollcall-Warnings"
_MAX_BYTES = 1024
_OK = 200


def tell(request: Request, view: Any, response: Reply) -> None:
    """Name the ignored keys of the request in a header of a reply that says that all went well."""
    schema = getattr(view, "body_schema", None)
    if schema is None or response.status_code != _OK or "credential" not in g or not has_secret():
        return
    kind = ignored_keys.kind_of(schema)
    try:
        body = strict_json.loads(bodies.read_body(request))
    except errors.Failure:  # a reply that was kept does not look at what was sent again
        return
    if isinstance(body, dict) and (found := header(list(kind.warnings(body)))):
        response.headers[HEADER] = found


def header(sentences: Sequence[str]) -> str:
    """Return the sentences as a JSON array in ASCII; no more of them than _MAX_BYTES take, "" for none."""
    told: list[str] = []
    for one in sentences:
        if len(_written([*told, one])) > _MAX_BYTES:
            break
        told.append(one)
    return _written(told) if told else ""


def _written(sentences: Sequence[str]) -> str:
    return json.dumps(sentences, separators=(",", ":"))
