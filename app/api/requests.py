"""For every request: an id, path checks, security headers and one log line."""

import random
import re
import time
from collections.abc import Mapping
from typing import Any

from flask import Flask, Request, Response, current_app, g
from werkzeug.exceptions import NotFound

from app import errors, logs, strict_json
from app.api import auth, bearers, bodies, conditions, conventions, cors, rates, warnings
from app.api.flask_app import SLASH, Reply, asked
from app.api.replies import done
from app.api.retries import FAILURE
from app.domain import ids, uids
from app.services import storage

_ID_BITS = 64
_SAFE_ID = re.compile("[A-Za-z0-9._-]{1,64}")
_WITHOUT_STORAGE = ("health", "openapi", "swagger_ui")  # blueprints that answer while the database is away
_SOME_ID = "0" * 24  # stands for a part that the path of this route does not have
WRITES = ("POST", "PUT", "PATCH")
_UIDS: dict[str, type[errors.Failure]] = {"uid": errors.UserNotFound, "account": errors.AccountNotFound}
_NONE_SUCH = f"It {uids.RULE[0].lower()}{uids.RULE[1:]}"
SAFE_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",  # pages set their own
}
HTTPS_ONLY = "max-age=31536000"  # seconds; a year, as browsers expect of those who mean it


def init_app(app: Flask) -> None:
    """Run `prepare` before and `finish` after every request of the app."""
    auth.init_app(app)
    bearers.init_app(app)
    app.url_value_preprocessor(restore_slashes)
    app.before_request(prepare)
    app.after_request(finish)


def restore_slashes(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Put slashes back into the names of a path, now that the route is found: check_path says where they may stand."""
    for name, text in (values or {}).items():
        if SLASH in text:
            values[name] = text.replace(SLASH, "/")  # type: ignore[index]


def prepare() -> Response | None:
    """Look at a request before its view does; the credentials come before all that looks at what was sent.

    Returns the reply to OPTIONS. Raises what the steps raise.
    """
    request = asked()
    view = current_app.view_functions.get(request.endpoint or "")
    g.started, g.request_id = time.perf_counter(), name_of(request)
    rates.count_address(request)
    refuse_without_storage(request)
    wait_for_storage(request)
    if request.method == "OPTIONS":
        return answer_options(request)
    if isinstance(request.routing_exception, NotFound) and conventions.needs_nobody(request.path):
        return None  # Flask answers that there is nothing: asked for a password, people would look for one
    check_caller = auth.check if conventions.of_path(request.path) == conventions.ENGAGE else bearers.check
    check_caller(request, view)
    check_path(request)
    conditions.refuse_where_none_hold(request, view)
    if view is not None:
        bodies.check_announced_length(request, view)
    return None


def name_of(request: Request) -> str:
    """Return the id of a request: the caller's where that is safe to log, else a new one."""
    given = request.headers.get("X-Request-Id", "")
    return given if is_safe_id(given) else new_id()


def new_id() -> str:
    """Return an id for a request that brings none. Nobody gains by guessing it, so it asks the kernel for nothing."""
    return f"{random.getrandbits(_ID_BITS):016x}"


def is_safe_id(text: str) -> bool:
    """Return True if a request id from outside may stand in a log."""
    return _SAFE_ID.fullmatch(text) is not None


def answer_options(request: Request) -> Response:
    """Answer OPTIONS, which carries no credentials, with the methods of the route and what a browser asks for."""
    response = done()
    methods = current_app.create_url_adapter(request).allowed_methods()  # type: ignore[union-attr]
    response.headers["Allow"] = ", ".join(sorted(methods))
    return cors.answer_preflight(response)


def refuse_without_storage(request: Request) -> None:
    """Raise errors.StorageUnavailable where the database was asked for this request already, in vain.

    Before the credentials are looked at: to ask for them would mean to wait once more.
    """
    failure = request.environ.get(FAILURE)
    if isinstance(failure, errors.StorageUnavailable):
        raise failure


def wait_for_storage(request: Request) -> None:
    """See that the database was made ready. Raises errors.StorageUnavailable while it is away."""
    if storage.is_prepared() or request.blueprint in _WITHOUT_STORAGE:
        return
    storage.prepare_and_announce(current_app.config["SETTINGS"], current_app.config["ANNOUNCE"])


def check_path(request: Request) -> None:
    """Refuse a path that is not UTF-8 and an invalid uid: bad input to a write, else not found.

    Raises errors.NotFound, UserNotFound, AccountNotFound, ListNotFound, SegmentNotFound, InvalidInput.
    """
    if "\ufffd" in request.path:
        try:
            request.environ["PATH_INFO"].encode("latin-1").decode()
        except UnicodeDecodeError:
            raise errors.NotFound("The path is not UTF-8.") from None
    given = request.view_args or {}
    if not ids.is_id(given.get("list_id", _SOME_ID)):
        raise errors.ListNotFound()
    if not ids.is_id(given.get("segment_id", _SOME_ID)):
        raise errors.SegmentNotFound()
    _check_uids(request, given)
    if not all(map(strict_json.is_storable, given.values())):
        raise errors.NotFound()


def _check_uids(request: Request, given: Mapping[str, str]) -> None:
    is_write = request.method in WRITES
    can_be = uids.is_valid if is_write else uids.may_be_stored
    for name, failure in _UIDS.items():
        if not can_be(given.get(name, _SOME_ID)):
            raise errors.InvalidInput({name: [uids.RULE]}) if is_write else failure(f"{failure.message} {_NONE_SUCH}")


def finish(response: Reply) -> Reply:
    """Put the headers on that every reply has, and write the log line: the route's template, never the uid."""
    request = asked()
    own = {name.lower() for name, _ in response.headers}
    response.common = [
        ("X-Request-Id", g.request_id),
        *[(name, value) for name, value in SAFE_HEADERS.items() if name.lower() not in own],
        *([("Strict-Transport-Security", HTTPS_ONLY)] if request.scheme == "https" else ()),
        *rates.announced(response.status_code).items(),
    ]
    warnings.tell(request, current_app.view_functions.get(request.endpoint or ""), response)
    cors.open_reply(request, response)
    if logs.tells_requests():
        logs.requests([line(request, response)])
    return response


def line(request: Request, response: Response) -> dict[str, Any]:
    """Return the line of the log about a request that is answered now."""
    return {
        "request_id": g.request_id,
        "method": request.method,
        "route": request.url_rule.rule if request.url_rule else None,
        "status": response.status_code,
        "milliseconds": round((time.perf_counter() - g.started) * 1000, 2),
        "workspace": g.credential.workspace if "credential" in g else None,
        "code": g.get("error_code"),
    }
