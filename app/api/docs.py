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
            "persistAuthorization": True,
            "displayRequestDuration": True,
        },
    )
    app.register_blueprint(browser, url_prefix=PATH)
    app.register_blueprint(blp)
    for endpoint, view in app.view_functions.items():
        if endpoint.startswith(f"{browser.name}."):
            requires(OPEN)(view)
