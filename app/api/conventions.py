"""API conventions by path: Engage, Atomic or OAuth, and the shape of their errors."""

import re
from typing import Any

from flask import Flask, request

from app import errors
from app.domain import environments

ENGAGE, ATOMIC, OAUTH = "engage", "atomic", "oauth"
_ATOMIC = re.compile(rf"/(?:v1/)?{environments.FORM}(?:/|$)|/v1/environments(?:/|$)")
_OAUTH = re.compile(r"/oauth2(?:/|$)")
VERSION = "v1"
_DOCS = "/docs/guides/errors"  # each code is an anchor there
_nouns: set[str] = set()  # what stands behind /v1/ on Engage's routes
_nouns_of_environments: set[tuple[str, str]] = set()  # (version, what stands behind the environment) on the Atomic ones


def learn(app: Flask) -> None:
    """Learn the words of the routes of the app, so that a misspelt environment is told in the Atomic shape too."""
    for rule in app.url_map.iter_rules():
        version, first, second = _words(rule.rule)
        if "environment:" in first:
            _nouns_of_environments.add((version, second))
        elif version:
            _nouns.add(first)


def of_path(path: str) -> str:
    """Return the convention of a path; ENGAGE for paths of none."""
    if _OAUTH.match(path):
        return OAUTH
    if _ATOMIC.match(path):
        return ATOMIC
    version, first, second = _words(path)
    is_misspelt = first not in ("", VERSION, *_nouns) and (version, second) in _nouns_of_environments
    return ATOMIC if is_misspelt else ENGAGE


def needs_nobody(path: str) -> bool:
    """Return True if there is nothing at the path, and near it neither, that a caller could log in to."""
    version, first, _ = _words(path)
    return of_path(path) == ENGAGE and (path.rstrip("/") == f"/{VERSION}" or not (version or first in _nouns))


def _words(path: str) -> tuple[str, str, str]:
    """The version of a path, "" for none, and the two words behind it."""
    words = path.split("/")[1:]
    version = words.pop(0) if words[0] == VERSION else ""
    first, second = [*words, "", ""][:2]
    return version, first, second


def current() -> str:
    """Return the convention of the request."""
    return of_path(request.path)


def error_body(convention: str, failure: errors.Failure, request_id: str) -> dict[str, Any]:
    """Return the error body of a convention.

    Details whose name begins with a slash are JSON pointers into the body (RFC 6901), others name parameters.
    """
    if convention == ATOMIC:
        return {"errors": _atomic_errors(failure)}
    if convention == OAUTH:  # RFC 6749 section 5.2
        return {"error": failure.code, "error_description": str(failure)}
    details = {"details": failure.details} if failure.details else {}
    hint = {"hint": failure.hint} if failure.hint else {}
    docs = f"{_DOCS}#{failure.code}"
    return {"error": str(failure), "code": failure.code, **details, **hint, "docs": docs, "request_id": request_id}


def _atomic_errors(failure: errors.Failure) -> list[dict[str, Any]]:
    if not failure.details:
        return [{"title": str(failure), "code": failure.code, "detail": None, "source": {}}]
    return [
        {
            "title": f"{place.lstrip('/').replace('/', '.') or 'body'}: {messages[0]}",
            "code": failure.code,
            "detail": " ".join(messages),
            "source": {"pointer" if place.startswith("/") else "parameter": place},
        }
        for place, messages in failure.details.items()
    ]
