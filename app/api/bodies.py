"""Read a request: the body as strict JSON, each query parameter once."""

from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from flask import Request, current_app, g, request
from webargs.flaskparser import FlaskParser

from app import errors, strict_json
from app.api.flask_app import asked
from app.schemas import loading, messages
from app.schemas.events import EventSchema
from app.schemas.users import CreateUserSchema, UpdateUserSchema

F = TypeVar("F", bound=Callable[..., Any])

MAX_BODY = 64 * 1024  # bytes, engage.md section 1; a view with another limit says so in `max_body`
_BY_HAND: dict[type, Callable[[dict[str, Any]], dict[str, Any] | None]] = {
    CreateUserSchema: loading.new_user,
    UpdateUserSchema: loading.user,
    EventSchema: loading.event,
}
_MAX_SHOWN = 200  # characters of a field's path in an error: a hostile name must not make a long reply


def takes(size: int, with_any_text: bool = False) -> Callable[[F], F]:
    """Let the body of the view be so many bytes long; with_any_text as in strict_json.loads."""

    def mark(view: F) -> F:
        view.max_body = size  # type: ignore[attr-defined]
        view.with_any_text = with_any_text  # type: ignore[attr-defined]
        return view

    return mark


def nested(levels: int) -> Callable[[F], F]:
    """Let the body of the view have so many levels of objects and arrays."""

    def mark(view: F) -> F:
        view.max_depth = levels  # type: ignore[attr-defined]
        return view

    return mark


class StrictParser(FlaskParser):
    """webargs with our reader in front, and our errors behind."""

    DEFAULT_VALIDATION_STATUS = 400

    def parse(self, argmap: Any, req: Request | None = None, **kwargs: Any) -> Any:
        """Return what the schema loads of the request; by hand, in a third of the time, where its form is common."""
        if load := _BY_HAND.get(type(argmap)):
            loaded = load(self.load_json(req or asked(), argmap))
            if loaded is not None:
                return loaded
        return super().parse(argmap, req, **kwargs)

    def load_json(self, req: Request, schema: Any) -> Any:
        """Return the body, which must be a JSON object. Raises errors.InvalidBody, InvalidInput, BodyTooLarge."""
        view = current_app.view_functions[req.endpoint or ""]
        with_any_text, levels = getattr(view, "with_any_text", False), getattr(view, "max_depth", strict_json.MAX_DEPTH)
        body = read_json(req, with_any_text, levels)
        if not isinstance(body, dict):
            raise errors.InvalidBody()
        return body

    def load_querystring(self, req: Request, schema: Any) -> Any:
        """Return the query's parameters, those named with [] as lists.

        Raises errors.InvalidInput for any other that is given twice.
        """
        query: dict[str, Any] = {}
        for name, values in req.args.lists():
            if len(values) > 1 and not name.endswith("[]"):
                raise errors.InvalidInput({name[:_MAX_SHOWN]: ["Must not be given twice."]})
            query[name] = values if name.endswith("[]") else values[0]
        return query

    def handle_error(
        self, error: Any, req: Request, schema: Any, *, error_status_code: Any, error_headers: Any
    ) -> NoReturn:
        """Raise what marshmallow found as errors.InvalidInput."""
        found = error.normalized_messages()
        raise errors.InvalidInput(messages.flatten(found.get("json", found.get("query", found))))


def check_announced_length(request: Request, view: Any) -> None:
    """Refuse a body that says it is too long before any of it is read. Raises errors.BodyTooLarge."""
    if (request.content_length or 0) > getattr(view, "max_body", MAX_BODY):
        raise too_large()


def read_body(req: Request) -> bytes:
    """Return the body, in chunks or not, never more than the limit of the route; the same bytes when asked again.

    Raises errors.BodyTooLarge, errors.InvalidBody when the chunks are malformed or the client went away.
    """
    if "body" not in g:
        g.body = _read_body(req)
    return bytes(g.body)


def read_json(req: Request, with_any_text: bool = False, max_depth: int = strict_json.MAX_DEPTH) -> Any:
    """Return the body as JSON. Raises as read_body and strict_json.loads do, and says what is sent in place of JSON."""
    body = read_body(req)
    try:
        return strict_json.loads(body, with_any_text, max_depth)
    except errors.InvalidBody:
        if reason := _other_than_json(req, body):
            raise errors.InvalidBody(reason) from None
        raise


def _other_than_json(req: Request, body: bytes) -> str:
    """What a body is that is no JSON, as far as its headers and first bytes tell; empty where they tell nothing."""
    if not body.strip():
        return "The body is empty; it must be JSON."
    if body.startswith(_GZIP) or req.headers.get("Content-Encoding", _PLAIN).lower() != _PLAIN:
        return "The body is compressed; it must be JSON as it is, without Content-Encoding."
    if body.startswith(_MARKS):
        return "The body begins with a byte order mark; it must be JSON in UTF-8 without one."
    is_form = b"=" in body or body.startswith(b"--")
    if req.mimetype in _FORMS and is_form and not body.lstrip().startswith((b"{", b"[")):
        return "The body is form-encoded; it must be JSON, whatever its Content-Type."
    return ""


_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")  # of UTF-8 and UTF-16
_GZIP = b"\x1f\x8b"  # how a body in gzip begins (RFC 1952)
_PLAIN = "identity"
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def _read_body(req: Request) -> bytes:
    limit, length = _limit(), req.content_length
    if length is None and not req.environ.get("wsgi.input_terminated"):
        return b""
    try:
        body: bytes = req.environ["wsgi.input"].read(limit + 1 if length is None else length)
    except OSError:  # what gunicorn raises for chunks that are none
        raise errors.InvalidBody("The body could not be read.") from None
    if len(body) > limit:
        raise too_large()
    if length is not None and len(body) < length:
        raise errors.InvalidBody("The body is shorter than its Content-Length.")
    return body


def too_large() -> errors.BodyTooLarge:
    """Return the error that names the limit of the route."""
    return errors.BodyTooLarge(f"The body must not be longer than {_limit()} bytes.")


def _limit() -> int:
    view = current_app.view_functions.get(request.endpoint or "")
    return int(getattr(view, "max_body", MAX_BODY))
