"""What every request gets: a name, a look at its path, safe headers on the reply and one line in the log."""

import random
import re
import time

from flask import Flask, Response, current_app, g, request

from app import errors, ids, logs, strict_json, uids
from app.api import auth, bearers, bodies, cors, rates
from app.api.replies import done
from app.services import storage

_ID_BITS = 64
_SAFE_ID = re.compile("[A-Za-z0-9._-]{1,64}")
_WITHOUT_STORAGE = ("health", "openapi", "swagger_ui")  # blueprints that answer while the database is away
_SOME_ID = "0" * 24  # stands for a part that the path of this route does not have
SAFE_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",  # pages set their own
}
HTTPS_ONLY = "max-age=31536000"  # seconds; a year, as browsers expect of those who mean it


def init_app(app: Flask) -> None:
    """Run these around every request of the app; the credentials come before all that looks at what was sent."""
    app.before_request(name_request)
    app.before_request(rates.count_address)
    app.before_request(wait_for_storage)
    app.before_request(answer_options)
    auth.init_app(app)
    bearers.init_app(app)
    app.before_request(check_path)
    app.before_request(check_length)
    app.after_request(finish)


def name_request() -> None:
    """Give the request its id: the caller's where that is safe to log, else a new one."""
    g.started = time.perf_counter()
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if is_safe_id(given) else new_id()


def new_id() -> str:
    """Return an id for a request that brings none. Nobody gains by guessing it, so it asks the kernel for nothing."""
    return f"{random.getrandbits(_ID_BITS):016x}"


def is_safe_id(text: str) -> bool:
    """Tell whether a request id from outside may stand in a log."""
    return _SAFE_ID.fullmatch(text) is not None


def answer_options() -> Response | None:
    """Answer OPTIONS, which carries no credentials, with the methods of the route and what a browser asks for."""
    if request.method != "OPTIONS":
        return None
    response = done()
    methods = current_app.create_url_adapter(request).allowed_methods()  # type: ignore[union-attr]
    response.headers["Allow"] = ", ".join(sorted(methods))
    return cors.answer_preflight(response)


def wait_for_storage() -> None:
    """See that the database was made ready. Raises errors.StorageUnavailable while it is away."""
    if request.blueprint in _WITHOUT_STORAGE:
        return
    if made := storage.ensure_prepared(current_app.config["SETTINGS"]):
        current_app.config["ANNOUNCE"](made)


def check_path() -> None:
    """Refuse a path that is no UTF-8 and a uid that nobody can have: not found, or bad input where it would be made.

    Raises errors.NotFound, UserNotFound, AccountNotFound, ListNotFound, SegmentNotFound, InvalidInput.
    """
    if "\ufffd" in request.path:
        try:
            request.environ["PATH_INFO"].encode("latin-1").decode()
        except UnicodeDecodeError:
            raise errors.NotFound() from None
    given = request.view_args or {}
    if not ids.is_id(given.get("list_id", _SOME_ID)):
        raise errors.ListNotFound()
    if not ids.is_id(given.get("segment_id", _SOME_ID)):
        raise errors.SegmentNotFound()
    if not uids.is_valid(given.get("uid", _SOME_ID)):
        view = current_app.view_functions[request.endpoint or ""]
        makes_user = getattr(view, "makes_user", False)
        raise errors.InvalidInput({"uid": [uids.RULE]}) if makes_user else errors.UserNotFound()
    if not uids.is_valid(given.get("account", _SOME_ID)):
        raise errors.AccountNotFound()
    if not all(map(strict_json.is_storable, given.values())):
        raise errors.NotFound()


def check_length() -> None:
    """Refuse a body that announces to be too long. Raises errors.BodyTooLarge."""
    if request.endpoint:
        bodies.check_announced_length()


def finish(response: Response) -> Response:
    """Put the headers on that every reply has, and write the log line: the route's template, never the uid."""
    response.headers["X-Request-Id"] = g.request_id
    for name, value in SAFE_HEADERS.items():
        response.headers.setdefault(name, value)
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = HTTPS_ONLY
    rates.announce(response)
    cors.open_reply(response)
    logs.requests(
        [
            {
                "request_id": g.request_id,
                "method": request.method,
                "route": request.url_rule.rule if request.url_rule else None,
                "status": response.status_code,
                "milliseconds": round((time.perf_counter() - g.started) * 1000, 2),
                "workspace": g.credential.workspace if "credential" in g else None,
                "code": g.get("error_code"),
            }
        ]
    )
    return response
