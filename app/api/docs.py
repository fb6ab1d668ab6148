"""The docs browser: Swagger UI served from local files, and the OpenAPI document."""

import functools
import gzip
import hashlib
import mimetypes
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import flask_swagger_ui
import orjson
from flask import Blueprint as FlaskBlueprint
from flask import Flask, Request, Response, current_app, redirect, request
from flask_swagger_ui import get_swaggerui_blueprint
from werkzeug import Response as AnyResponse

from app.api import openapi, proxies
from app.api.auth import OPEN, requires
from app.api.flask_app import Reply

PATH = "/docs"
_DOCUMENT = "/openapi.json"
_ICON = "favicon-32x32.png"  # of the browser's package
# Swagger UI starts with a script in its page and draws with styles of its own; all the rest is on this server.
_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_KEPT = "documents"  # in the extensions of the app: {(type, prefix): Kept}
_ETAG_DIGITS = 32  # 128 bits

blp = FlaskBlueprint("openapi", __name__)


@blp.get(_DOCUMENT)
@requires(OPEN)
def show_document() -> Response:
    """Return the OpenAPI document as JSON: made once, compressed once."""
    return _kept("application/json", lambda prefix: orjson.dumps(openapi.document(prefix))).response(request)


@blp.get("/openapi.yaml")
@requires(OPEN)
def show_document_as_yaml() -> Response:
    """Return the OpenAPI document as YAML (RFC 9512): made once, compressed once."""
    return _kept("application/yaml", lambda prefix: openapi.as_yaml(prefix).encode()).response(request)


@blp.get("/favicon.ico")
@requires(OPEN)
def show_icon() -> Response:
    """Return the icon that browsers ask for by this name, whatever its type."""
    return _asset(str(Path(flask_swagger_ui.__file__).parent / "dist" / _ICON)).response(request)


class Kept(NamedTuple):
    """A reply that is the same for everybody: its body, the body as gzip, its strong ETags, its type."""

    body: bytes
    packed: bytes
    etag: str
    packed_etag: str
    kind: str

    @classmethod
    def of(cls, body: bytes, kind: str) -> "Kept":
        """Return the reply with that body."""
        tag = hashlib.sha256(body).hexdigest()[:_ETAG_DIGITS]
        return cls(body, gzip.compress(body, mtime=0), f'"{tag}"', f'"{tag}-gzip"', kind)

    def response(self, request: Request) -> Response:
        """Return it as the client wants it: packed where it takes gzip, 304 where it has it already."""
        is_packed = request.accept_encodings.quality("gzip") > 0
        etag = self.packed_etag if is_packed else self.etag
        headers = {
            "ETag": etag,
            "Vary": "Accept-Encoding",
            "Cache-Control": "no-cache",
        }  # kept, and asked for each time
        if request.if_none_match.contains_weak(etag.strip('"')):
            return Reply(status=304, headers=headers)
        if is_packed:
            headers["Content-Encoding"] = "gzip"
        return Reply(self.packed if is_packed else self.body, headers=headers, content_type=self.kind)


@blp.get("/")
@blp.get(PATH)
@requires(OPEN)
def show_the_way() -> AnyResponse:
    """Redirect the bare address, and that of the docs without its slash, to the docs."""
    return redirect(f"{proxies.prefix()}{PATH}/")


def _kept(kind: str, make: Callable[[str], bytes]) -> Kept:
    """Return a document that is made once for each prefix; only trusted proxies name one."""
    prefix = proxies.prefix()
    documents = current_app.extensions.setdefault(_KEPT, {})
    if (kind, prefix) not in documents:
        documents[kind, prefix] = Kept.of(make(prefix), kind)
    return documents[kind, prefix]  # type: ignore[no-any-return]


def init_app(app: Flask) -> None:
    """Serve the docs browser, which needs no credentials and asks no other host for anything."""
    browser = get_swaggerui_blueprint(
        ".",  # all of its addresses are relative: a proxy may have us under a prefix
        f"..{_DOCUMENT}",
        config={
            "app_name": "Rollcall",
            "validatorUrl": "none",
            "tryItOutEnabled": True,
            "persistAuthorization": False,
            "displayRequestDuration": True,
        },
    )
    browser.after_request(_guard)
    app.register_blueprint(browser, url_prefix=PATH)
    app.register_blueprint(blp)
    for endpoint, view in app.view_functions.items():
        if endpoint.startswith(f"{browser.name}."):
            requires(OPEN)(view)


@functools.cache
def _asset(path: str) -> Kept:
    """An asset of the browser, read and compressed once. path: of a file of the package; no request can choose it."""
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    return Kept.of(Path(path).read_bytes(), kind)


def _guard(response: Response) -> Response:
    file = getattr(response.response, "name", None) or getattr(getattr(response.response, "file", None), "name", None)
    if response.status_code in (200, 304) and isinstance(file, str):
        response.close()
        response = _asset(file).response(request)
    response.headers["Content-Security-Policy"] = _POLICY
    return response
