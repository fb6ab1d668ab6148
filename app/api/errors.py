"""Failures as HTTP responses: the only place that maps errors.py to status codes (engage.md section 1)."""

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from app import errors, logs
from app.api import conventions, hints
from app.api.replies import reply

STATUS = {
    errors.InvalidInput: 400,
    errors.InvalidBody: 400,
    errors.InvalidClient: 400,
    errors.UnsupportedGrant: 400,
    errors.InvalidTokenRequest: 400,
    errors.WrongCredentials: 401,
    errors.SdkTokenInvalid: 401,
    errors.TokenInvalid: 401,
    errors.RoleNeeded: 403,
    errors.SecretNeeded: 403,
    errors.SignatureNeeded: 403,
    errors.EmailChange: 403,
    errors.NotFound: 404,
    errors.UserNotFound: 404,
    errors.AccountNotFound: 404,
    errors.ListNotFound: 404,
    errors.SegmentNotFound: 404,
    errors.LinkInvalid: 404,
    errors.MethodNotAllowed: 405,
    errors.UidTaken: 409,
    errors.Conflict: 409,
    errors.KeyReused: 409,
    errors.StillRunning: 409,
    errors.ReplyErased: 409,
    errors.PreconditionFailed: 412,
    errors.BodyTooLarge: 413,
    errors.TooManyRequests: 429,
    errors.InternalError: 500,
    errors.KeysUnavailable: 503,
    errors.StorageUnavailable: 503,
}
_HEADERS = {
    errors.WrongCredentials: {"WWW-Authenticate": 'Basic realm="Rollcall"'},
    errors.TokenInvalid: {"WWW-Authenticate": 'Bearer realm="Rollcall", error="invalid_token"'},
    errors.SdkTokenInvalid: {"WWW-Authenticate": 'Bearer realm="Rollcall", error="invalid_token"'},
    errors.StillRunning: {"Retry-After": "1"},
    errors.KeysUnavailable: {"Retry-After": "1"},
    errors.StorageUnavailable: {"Retry-After": "1"},  # seconds; a restarted database is back in about that
}
_BY_STATUS = {413: errors.BodyTooLarge}


def init_app(app: Flask) -> None:
    """Answer every failure of the app, in the shape of the convention of its path."""
    app.register_error_handler(errors.Failure, answer)
    app.register_error_handler(HTTPException, answer_http)
    app.register_error_handler(Exception, answer_fault)


def answer(failure: errors.Failure) -> Response:
    """Answer one of the closed list."""
    g.error_code = failure.code
    response = reply(conventions.error_body(conventions.current(), failure, g.request_id), STATUS[type(failure)])
    response.headers.extend(_HEADERS.get(type(failure), {}))
    return response


def answer_http(error: HTTPException) -> Response:
    """Answer what Flask and werkzeug raise: an unknown route, a wrong method, a broken request."""
    if isinstance(error, MethodNotAllowed):
        allowed = ", ".join(sorted(error.valid_methods or []))
        response = answer(errors.MethodNotAllowed(hint=f"It takes {allowed}."))
        response.headers["Allow"] = allowed
        return response
    if isinstance(error, NotFound):
        return answer(errors.NotFound(hint=hints.for_unknown_path()))
    status = error.code or 500
    if status >= 500:
        return answer_fault(error)
    return answer(_BY_STATUS[status]() if status in _BY_STATUS else errors.InvalidBody("The request is malformed."))


def answer_fault(error: Exception) -> Response:
    """Answer a fault of ours; the stack trace goes to the log alone."""
    logs.fault(error, request_id=g.request_id, method=request.method, route=str(request.url_rule or ""))
    return answer(errors.InternalError())
