"""HTTP: the routes, who may call them, and the shape of every reply."""

from flask import Flask

from app.api import (
    accounts,
    atomic,
    audit,
    batches,
    conventions,
    docs,
    errors,
    events,
    health,
    lists,
    openapi,
    rates,
    requests,
    segments,
    subscriptions,
    users,
)
from app.api.blueprint import EnvironmentConverter, ListIdConverter, SegmentIdConverter, UidConverter
from app.api.proxies import TrustedProxies

# Only /v1 is documented. The bare root answers too, because the official PHP and Java SDKs call it (engage.md 1).
VERSION_PREFIX = "/v1"


def init_app(app: Flask) -> None:
    """Put the API on the app."""
    app.url_map.merge_slashes = False  # a double slash is no route, and no redirect to one
    app.url_map.converters |= {
        "uid": UidConverter,
        "list": ListIdConverter,
        "segment": SegmentIdConverter,
        "environment": EnvironmentConverter,
    }
    settings = app.config["SETTINGS"]
    proxies = TrustedProxies(app.wsgi_app, settings.proxies)
    app.wsgi_app = proxies  # type: ignore[method-assign]
    app.extensions["proxies"] = proxies
    rates.init_app(app, settings)
    requests.init_app(app)
    errors.init_app(app)
    api = openapi.new_api(app)
    for noun in (users, events, accounts, lists, subscriptions, batches, audit, segments):
        api.register_blueprint(noun.blp, url_prefix=VERSION_PREFIX)
        app.register_blueprint(noun.blp, url_prefix="", name=f"unversioned_{noun.blp.name}")
    api.register_blueprint(atomic.blp)
    api.register_blueprint(health.blp)
    docs.init_app(app)
    conventions.learn(app)
