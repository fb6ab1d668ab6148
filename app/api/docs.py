"""The docs browser: Swagger UI from our own disk, and the document it shows."""

from flask import Blueprint as FlaskBlueprint
from flask import Flask, Response, redirect
from flask_swagger_ui import get_swaggerui_blueprint
from werkzeug import Response as AnyResponse

from app.api import openapi
from app.api.auth import OPEN, requires
from app.api.replies import reply

PATH = "/docs"
_DOCUMENT = "/openapi.json"
# Swagger UI starts with a script in its page and draws with styles of its own; all the rest is on this server.
_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

blp = FlaskBlueprint("openapi", __name__)


@blp.get(_DOCUMENT)
@requires(OPEN)
def show_document() -> Response:
    """Return the OpenAPI document as JSON."""
    return reply(openapi.document())


@blp.get("/")
@requires(OPEN)
def show_the_way() -> AnyResponse:
    """Send whoever opens the bare address in a browser to the docs."""
    return redirect(f"{PATH}/")


def init_app(app: Flask) -> None:
    """Serve the docs browser, which needs no credentials and asks no other host for anything."""
    browser = get_swaggerui_blueprint(
        PATH,
        _DOCUMENT,
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


def _guard(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = _POLICY
    return response
