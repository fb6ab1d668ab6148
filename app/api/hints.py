"""Hints of a 404: the nearest route of the public OpenAPI document."""

import re
from collections.abc import Iterator, Sequence

from flask import current_app, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from app.api.conventions import VERSION
from app.domain import spelling

_ELSEWHERE = "All routes are shown at /docs/."
_TWICE = re.compile(rf"(?:/{VERSION})+(?=/{VERSION}(?:/|$))")
_BEFORE = re.compile(rf"^(?:/[^/]+)+(?=/{VERSION}/)")
_SLASHES = re.compile("/{2,}")
_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
_PLURAL = 2  # letters behind the whole word
_LETTERS_AN_EDIT = 3  # in so many letters of a word of a route one may be wrong, and one in any


def for_unknown_path() -> str:
    """Return what may be wrong with the path of the request, which leads nowhere."""
    # Flask's path has one slash in front, however many were sent.
    mended = f"/{request.path}" if request.environ["PATH_INFO"].startswith("//") else request.path
    for reason, mend in _MISTAKES:
        before, mended = mended, mend(mended)
        if mended != before and (route := _route(mended)):
            return f"{reason} {spelling.question([route])}"
    return spelling.question(_nearest(mended.split("/")[1:])) or _ELSEWHERE


_MISTAKES = (
    ("The path has two slashes in a row.", lambda path: _SLASHES.sub("/", path)),
    (f"The path has /{VERSION} twice.", lambda path: _TWICE.sub("", path)),
    (f"Nothing stands before /{VERSION}.", lambda path: _BEFORE.sub("", path)),
    ("No route ends with a slash.", lambda path: path.rstrip("/")),
)


def _route(path: str) -> str | None:
    """The route that a path leads to, by whatever method."""
    adapter, methods = current_app.url_map.bind(""), [request.method]
    while True:
        try:
            return _shown(adapter.match(path, methods[0], return_rule=True)[0].rule)
        except MethodNotAllowed as error:
            methods = list(error.valid_methods or ())
        except HTTPException:
            return None


def _nearest(words: Sequence[str]) -> list[str]:
    """The route whose words are most like these, with the version or without it; a parameter is like anything."""
    sent = [words, words[1:] if words[0] == VERSION else [VERSION, *words]]
    costs = [
        (cost, route) for route in _routes() for one in sent if (cost := _edits(route.split("/")[1:], one)) is not None
    ]
    return [min(costs)[1]] if costs else []


def _edits(route: Sequence[str], words: Sequence[str]) -> int | None:
    """How many letters of the words are wrong, None where they are too many."""
    if len(route) != len(words):
        return None
    total = 0
    for name, word in zip(route, words, strict=True):
        most = 0 if name.startswith("{") else max(1, len(name) // _LETTERS_AN_EDIT)
        most = max(most, _PLURAL) if name and most and word.lower().startswith(name) else most
        if most and abs(len(name) - len(word)) > most:
            return None
        found = spelling.edits(name, word.lower()) if most else 0
        if found > most or not word:
            return None
        total += found
    return total


def _routes() -> Iterator[str]:
    """The routes that are documented for all; those of an environment have their own words for what is wrong."""
    for rule in current_app.url_map.iter_rules():
        if (
            not rule.endpoint.startswith("unversioned_")
            and "<environment" not in rule.rule
            and "<path" not in rule.rule
        ):
            yield _shown(rule.rule)


def _shown(rule: str) -> str:
    return _PARAMETER.sub(r"{\1}", rule)
